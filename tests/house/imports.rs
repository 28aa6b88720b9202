//! The imports between source files, read from the paths in the files, and the circles among them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::tokens::{as_compiled, tokens};

/// A module as a path from the root of the crate: `["tui", "plot", "axis"]`. The path of the root is empty.
pub type Module = Vec<String>;

/// Longest chain of re-exports that is followed.
const MOST_HOPS: usize = 16;

/// One source file: its declarations and the paths in it.
struct File {
    modules: BTreeSet<String>,
    /// The imports by `use`: the name in this file, and the path.
    names: BTreeMap<String, Module>,
    /// Every path to an item of this crate, from the root.
    paths: Vec<Module>,
}

/// Every file of a crate, except files that are compiled only for tests.
pub struct Source {
    folder: PathBuf,
    files: BTreeMap<Module, File>,
}

impl Source {
    /// Reads the crate with the root `lib.rs` in `folder`, following its `mod` declarations.
    pub fn read(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut waiting: Vec<Module> = vec![Vec::new()];
        while let Some(module) = waiting.pop() {
            let text = fs::read_to_string(folder.join(path_of(&module))).unwrap();
            let file = File::parse(&module, &as_compiled(&tokens(&text)));
            waiting.extend(file.modules.iter().map(|child| joined(&module, &[child.as_str()])));
            files.insert(module, file);
        }
        Self {
            folder: folder.to_owned(),
            files,
        }
    }

    /// Returns, for every file, the files that it imports from. A name is followed through `use` and `pub use` to the
    /// file that defines it, so a file that only re-exports the name does not count.
    pub fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let edges = self.files.iter().map(|(module, file)| {
            let targets = file.paths.iter().filter_map(|path| self.definition(path, MOST_HOPS));
            (module.clone(), targets.filter(|target| target != module).collect())
        });
        edges.collect()
    }

    /// Returns the file that defines the last name of `path`; `None` if the path names a module.
    fn definition(&self, path: &[String], hops: usize) -> Option<Module> {
        let mut module = Module::new();
        for (at, name) in path.iter().enumerate() {
            let file = &self.files[&module];
            if file.modules.contains(name) {
                module.push(name.clone());
            } else if let Some(origin) = file.names.get(name).filter(|_| hops > 0) {
                let rest: Vec<&str> = path[at + 1..].iter().map(String::as_str).collect();
                return self.definition(&joined(origin, &rest), hops - 1);
            } else {
                return Some(module);
            }
        }
        None
    }

    /// Returns every path in a file to an item of this crate, from the root. Re-exports are not followed.
    pub fn paths(&self) -> impl Iterator<Item = (&Module, &Module)> {
        self.files
            .iter()
            .flat_map(|(module, file)| file.paths.iter().map(move |path| (module, path)))
    }

    /// Returns the file of a module.
    pub fn path(&self, module: &[String]) -> PathBuf {
        self.folder.join(path_of(module))
    }
}

/// Returns the file of a module, relative to the source folder of its crate.
fn path_of(module: &[String]) -> String {
    if module.is_empty() {
        "lib.rs".to_owned()
    } else {
        format!("{}.rs", module.join("/"))
    }
}

fn joined(module: &[String], rest: &[&str]) -> Module {
    module
        .iter()
        .cloned()
        .chain(rest.iter().map(|name| (*name).to_owned()))
        .collect()
}

impl File {
    fn parse(module: &[String], tokens: &[String]) -> Self {
        let mut file = Self {
            modules: BTreeSet::new(),
            names: BTreeMap::new(),
            paths: Vec::new(),
        };
        for window in tokens.windows(3) {
            if window[0] == "mod" && window[2] == ";" {
                file.modules.insert(window[1].clone());
            }
        }
        let mut at = 0;
        let mut rest = Vec::new();
        while at < tokens.len() {
            if tokens[at] == "use" {
                let end = tokens[at..].iter().position(|token| token == ";").unwrap() + at;
                for (path, name) in leaves(&tokens[at + 1..end]) {
                    if let Some(path) = file.in_crate(module, &path) {
                        file.names.insert(name, path.clone());
                        file.paths.push(path);
                    }
                }
                at = end;
            } else {
                rest.push(tokens[at].clone());
                at += 1;
            }
        }
        for path in paths(&rest) {
            if let Some(path) = file.in_crate(module, &path) {
                file.paths.push(path);
            } else if let Some(origin) = file.names.get(&path[0]) {
                let names: Vec<&str> = path[1..].iter().map(String::as_str).collect();
                file.paths.push(joined(origin, &names));
            }
        }
        file
    }

    /// Converts a path in the file of `module` to a path from the root of the crate. Returns `None` if it leads to
    /// another crate or begins with a name that `use` imported.
    fn in_crate(&self, module: &[String], path: &[String]) -> Option<Module> {
        let first = path.first()?.as_str();
        let supers = path.iter().take_while(|name| *name == "super").count();
        let (start, skipped) = match first {
            "crate" => (&module[..0], 1),
            "self" => (module, 1),
            "super" => (&module[..module.len().checked_sub(supers)?], supers),
            _ if self.modules.contains(first) => (module, 0),
            _ => return None,
        };
        let rest: Vec<&str> = path[skipped..].iter().map(String::as_str).collect();
        Some(joined(start, &rest))
    }
}

/// Returns the names from the root of the crate that `text` uses, including its tests.
/// `use crate::{event::Point, number};` gives `event` and `number`.
pub fn named_of_root(text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let mut found: Vec<Vec<String>> = paths(&tokens);
    for (at, _) in tokens.iter().enumerate().filter(|(_, token)| *token == "use") {
        let tree: Vec<String> = tokens[at + 1..]
            .iter()
            .take_while(|token| *token != ";")
            .cloned()
            .collect();
        found.extend(leaves(&tree).into_iter().map(|(path, _)| path));
    }
    let of_root = found.into_iter().filter(|path| path.len() > 1 && path[0] == "crate");
    of_root.map(|mut path| path.swap_remove(1)).collect()
}

/// Returns the paths in the tree of a `use`, each with its name in this file. An import by `*` counts as its module.
fn leaves(tree: &[String]) -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut prefix: Vec<String> = Vec::new();
    let mut at = 0;
    while at < tree.len() {
        match tree[at].as_str() {
            "::" => {}
            "{" => {
                for part in parts(&tree[at + 1..tree.len() - 1]) {
                    for (path, name) in leaves(part) {
                        let is_prefix = path == ["self"];
                        let whole: Vec<String> = prefix
                            .iter()
                            .cloned()
                            .chain(path.into_iter().filter(|_| !is_prefix))
                            .collect();
                        let name = if is_prefix && name == "self" {
                            prefix.last().cloned().unwrap_or_default()
                        } else {
                            name
                        };
                        found.push((whole, name));
                    }
                }
                return found;
            }
            "as" => {
                found.push((prefix, tree[at + 1].clone()));
                return found;
            }
            name => prefix.push(name.to_owned()),
        }
        at += 1;
    }
    if let Some(name) = prefix.last().cloned() {
        found.push((prefix, name));
    }
    found
}

/// Splits tokens at the commas outside of inner braces.
fn parts(tokens: &[String]) -> Vec<&[String]> {
    let mut parts = Vec::new();
    let (mut start, mut depth) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 0 => {
                parts.push(&tokens[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tokens[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Returns every path `a::b::c` outside of `use`.
fn paths(tokens: &[String]) -> Vec<Vec<String>> {
    let is_name = |token: &String| token.starts_with(|letter: char| letter.is_alphabetic() || letter == '_');
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let mut path = Vec::new();
        while at < tokens.len() && is_name(&tokens[at]) {
            path.push(tokens[at].clone());
            at += 1;
            if tokens.get(at).is_some_and(|token| token == "::") {
                at += 1;
            } else {
                break;
            }
        }
        at += usize::from(path.is_empty());
        if path.len() > 1 {
            found.push(path);
        }
    }
    found
}

/// Returns the circles that count, each as the files on a shortest path around it.
///
/// A circle between a file and its submodules does not count: `view.rs` declares `mod steps;`, and `view/steps.rs` has
/// `use super::View;`. Therefore a file is removed from a circle if all other files of the circle are its submodules.
/// Circles among the remaining files count, and so does a circle that leaves the folder of the file.
pub fn circles(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<Vec<Module>> {
    let mut found = Vec::new();
    let mut waiting: Vec<BTreeSet<Module>> = vec![imports.keys().cloned().collect()];
    while let Some(files) = waiting.pop() {
        for mut group in groups(imports, &files) {
            let head = group
                .iter()
                .find(|head| group.iter().all(|file| file.starts_with(head)));
            if let Some(head) = head.cloned() {
                group.remove(&head);
                waiting.push(group);
            } else {
                found.push(shortest_way_round(imports, &group));
            }
        }
    }
    found
}

/// Returns the groups of two or more of these files in which every file imports every other, directly or through other
/// files of `files`.
fn groups(imports: &BTreeMap<Module, BTreeSet<Module>>, files: &BTreeSet<Module>) -> Vec<BTreeSet<Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        files.iter().map(|file| (file, reach(imports, files, file))).collect();
    let mut groups: Vec<BTreeSet<Module>> = Vec::new();
    for file in files {
        if groups.iter().any(|group| group.contains(file)) {
            continue;
        }
        let both_ways = reached[file].iter().filter(|other| reached[*other].contains(file));
        let group: BTreeSet<Module> = both_ways.map(|other| (*other).clone()).collect();
        if group.len() > 1 {
            groups.push(group);
        }
    }
    groups
}

fn reach<'a>(
    imports: &'a BTreeMap<Module, BTreeSet<Module>>,
    files: &BTreeSet<Module>,
    from: &'a Module,
) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![from];
    while let Some(file) = waiting.pop() {
        for next in imports[file].iter().filter(|next| files.contains(*next)) {
            if reached.insert(next) {
                waiting.push(next);
            }
        }
    }
    reached
}

/// Returns a shortest circle among these files, if possible one that counts.
fn shortest_way_round(imports: &BTreeMap<Module, BTreeSet<Module>>, group: &BTreeSet<Module>) -> Vec<Module> {
    let mut ways: Vec<Vec<Module>> = Vec::new();
    for file in group {
        for next in imports[file].iter().filter(|next| group.contains(*next)) {
            ways.extend(shortest_way(imports, group, next, file));
        }
    }
    let is_one_thing = |way: &Vec<Module>| way.iter().any(|head| way.iter().all(|file| file.starts_with(head)));
    ways.into_iter()
        .min_by_key(|way| (is_one_thing(way), way.len()))
        .unwrap_or_default()
}

fn shortest_way(
    imports: &BTreeMap<Module, BTreeSet<Module>>,
    group: &BTreeSet<Module>,
    from: &Module,
    to: &Module,
) -> Option<Vec<Module>> {
    let mut ways = vec![vec![from.clone()]];
    let mut seen = BTreeSet::from([from.clone()]);
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            let last = way.last()?;
            if last == to {
                return Some(way);
            }
            for next in imports[last].iter().filter(|next| group.contains(*next)) {
                if seen.insert(next.clone()) {
                    longer.push(way.iter().chain([next]).cloned().collect());
                }
            }
        }
        ways = longer;
    }
    None
}
