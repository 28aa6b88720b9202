// Counts the copies and waits that a program requests from CUDA, without a profiler. Loaded before CUDA's runtime
// (LD_PRELOAD), it passes each call on and writes the counts at the end.
//
//   cc -shared -fPIC -O2 -o calls.so calls.c -ldl
//   CALLS=FILE LD_PRELOAD=$PWD/calls.so PROGRAM ARG…
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_ulong copies, waits;

static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) {
        fprintf(stderr, "calls.so: no %s in the libraries after this one\n", name);
        abort();
    }
    return found;
}

#define COUNT(counter, name, parameters, arguments)          \
    int name parameters {                                    \
        static int(*_Atomic real) parameters;                \
        if (!real) real = (int(*) parameters)next(#name);    \
        atomic_fetch_add(&counter, 1);                       \
        return real arguments;                               \
    }

COUNT(copies, cudaMemcpy, (void *to, const void *from, size_t bytes, int kind), (to, from, bytes, kind))
COUNT(copies, cudaMemcpyAsync, (void *to, const void *from, size_t bytes, int kind, void *stream),
      (to, from, bytes, kind, stream))
COUNT(waits, cudaStreamSynchronize, (void *stream), (stream))
COUNT(waits, cudaEventSynchronize, (void *event), (event))
COUNT(waits, cudaDeviceSynchronize, (void), ())

__attribute__((destructor)) static void say(void) {
    const char *path = getenv("CALLS");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file) return;
    fprintf(file, "copies,%lu\nwaits,%lu\n", atomic_load(&copies), atomic_load(&waits));
    fclose(file);
}
