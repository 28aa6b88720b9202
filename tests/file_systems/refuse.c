/* Simulates a file system with missing features, for LD_PRELOAD. REFUSE_LOCKS and REFUSE_SYNC give the errno with which
   locks and the syncing of folders fail, REFUSE_LINKS the one of hard links. With REFUSE_LOCKS=0 every lock succeeds and
   locks nothing. No socket can be made at a path that contains REFUSE_SOCKETS. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

int flock(int file, int operation) {
    const char *refused = getenv("REFUSE_LOCKS");
    if (!refused) return syscall(SYS_flock, file, operation);
    errno = atoi(refused);
    return errno ? -1 : 0;
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    const char *refused = getenv("REFUSE_LINKS");
    if (!refused) return syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
    errno = atoi(refused);
    return -1;
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int fsync(int file) {
    const char *refused = getenv("REFUSE_SYNC");
    struct stat found;
    if (!refused || fstat(file, &found) || !S_ISDIR(found.st_mode)) return syscall(SYS_fsync, file);
    errno = atoi(refused);
    return -1;
}

int bind(int socket, const struct sockaddr *address, socklen_t length) {
    const char *refused = getenv("REFUSE_SOCKETS");
    if (refused && address->sa_family == AF_UNIX && strstr(((const struct sockaddr_un *)address)->sun_path, refused)) {
        errno = EPERM;
        return -1;
    }
    return syscall(SYS_bind, socket, address, length);
}
