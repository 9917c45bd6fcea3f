//! Reads each file's modules, names and paths.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::order::CRATES;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Item, ItemMod, ItemUse, UseTree, Visibility};

/// A module: by its crate and its path within it.
pub type Key = (&'static str, Vec<String>);

/// What one module holds.
#[derive(Default)]
pub struct Module {
    /// The file that it stands in, below the workspace.
    pub file: String,
    /// What it defines itself.
    pub defines: BTreeSet<String>,
    /// Its `use` lines: the name here, the path, and whether it is handed on. A glob's name is `*`.
    pub uses: Vec<(String, Vec<String>, bool)>,
    /// The other paths of its code.
    pub paths: BTreeSet<Vec<String>>,
}

/// Modules by name; several where each system has its own file.
pub type Modules = BTreeMap<Key, Vec<Module>>;

/// Every module of every crate.
pub fn modules(workspace: &Path) -> Result<Modules> {
    let mut all = BTreeMap::new();
    for one in &CRATES {
        for root in one.roots {
            let folder = workspace.join(one.folder);
            let mut reader = Reader { workspace, name: one.name, all: &mut all };
            reader.file(&folder.join(root), &folder, Vec::new())?;
        }
    }
    Ok(all)
}

struct Reader<'a> {
    workspace: &'a Path,
    name: &'static str,
    all: &'a mut Modules,
}

impl Reader<'_> {
    /// Reads a file whose modules lie in `folder`.
    fn file(&mut self, file: &Path, folder: &Path, path: Vec<String>) -> Result<()> {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let tree = syn::parse_file(&text).with_context(|| file.display().to_string())?;
        self.items(&tree.items, file, folder, path)
    }

    fn items(&mut self, items: &[Item], file: &Path, folder: &Path, path: Vec<String>) -> Result<()> {
        let below = file.strip_prefix(self.workspace)?.display().to_string();
        let mut module = Module { file: below, ..Module::default() };
        for item in items {
            match item {
                Item::Mod(inner) if is_test(inner) => {}
                Item::Mod(inner) => {
                    let name = inner.ident.to_string();
                    let path: Vec<String> = path.iter().cloned().chain([name.clone()]).collect();
                    if let Some((_, items)) = &inner.content {
                        self.items(items, file, &folder.join(&name), path)?;
                    } else {
                        for (file, folder) in children(file, folder, &name, inner) {
                            self.file(&file, &folder, path.clone())?;
                        }
                    }
                }
                Item::Use(line) => module.take_use(line),
                other => {
                    module.defines.extend(defined(other));
                    Paths(&mut module.paths).visit_item(other);
                }
            }
        }
        self.all.entry((self.name, path)).or_default().push(module);
        Ok(())
    }
}

/// Where `mod name;` leads, on one system or another, and where that file's own modules lie.
fn children(file: &Path, folder: &Path, name: &str, inner: &ItemMod) -> Vec<(PathBuf, PathBuf)> {
    let told: Vec<_> = inner.attrs.iter().filter_map(told_path).collect();
    if told.is_empty() {
        let (flat, own) = (folder.join(format!("{name}.rs")), folder.join(name));
        return vec![if flat.exists() { (flat, own) } else { (own.join("mod.rs"), own) }];
    }
    let beside = file.parent().unwrap_or(folder);
    told.iter().map(|path| (beside.join(path), beside.join(path).with_extension(""))).collect()
}

/// The file that `#[path = "…"]` or `#[cfg_attr(…, path = "…")]` names.
fn told_path(attr: &syn::Attribute) -> Option<String> {
    let words = attr.to_token_stream().to_string();
    let (_, told) = words.split_once("path = \"")?;
    told.split_once('"').map(|(path, _)| path.to_owned())
}

fn is_test(inner: &ItemMod) -> bool {
    inner.attrs.iter().any(|attr| {
        attr.path().is_ident("cfg")
            && attr.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(name.to_string())
}

impl Module {
    fn take_use(&mut self, line: &ItemUse) {
        if line.attrs.iter().any(|attr| attr.path().is_ident("cfg") && mentions_test(attr)) {
            return;
        }
        let handed_on = !matches!(line.vis, Visibility::Inherited);
        self.take_tree(&line.tree, &[], handed_on);
    }

    fn take_tree(&mut self, tree: &UseTree, before: &[String], on: bool) {
        let with = |name: &str| before.iter().cloned().chain([name.to_owned()]).collect::<Vec<_>>();
        match tree {
            UseTree::Path(path) => self.take_tree(&path.tree, &with(&path.ident.to_string()), on),
            UseTree::Name(name) if name.ident == "self" => {
                self.uses.push((before.last().cloned().unwrap_or_default(), before.to_vec(), on));
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                self.uses.push((name.clone(), with(&name), on));
            }
            UseTree::Rename(renamed) => {
                self.uses.push((renamed.rename.to_string(), with(&renamed.ident.to_string()), on));
            }
            UseTree::Glob(_) => self.uses.push(("*".to_owned(), before.to_vec(), on)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.take_tree(tree, before, on)),
        }
    }
}

fn mentions_test(attr: &syn::Attribute) -> bool {
    attr.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
}

/// Collects the paths of two words or more.
struct Paths<'a>(&'a mut BTreeSet<Vec<String>>);

impl<'ast> Visit<'ast> for Paths<'_> {
    /// `pub(in …)` uses nothing.
    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.0.insert(path.segments.iter().map(|one| one.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }
}
