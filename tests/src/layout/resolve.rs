//! From paths to the files that define what they name.

use anyhow::Result;

use super::order::{Arrows, CRATES};
use super::read::{Key, Module, Modules};

/// More re-exports than that in a row are a mistake here.
const DEEPEST: usize = 20;

/// Every arrow between two files.
pub fn arrows(modules: &Modules) -> Result<Arrows> {
    let mut arrows = Arrows::new();
    let all = modules.iter().flat_map(|(key, ones)| ones.iter().map(move |one| (key, one)));
    for (key, module) in all {
        arrows.entry(module.file.clone()).or_default();
        let used = module.uses.iter().map(|(_, path, _)| path).chain(&module.paths);
        for path in used {
            let Some((at, rest)) = absolute(modules, key, path) else { continue };
            let Some((found, name)) = defining(modules, &at, &rest, 0) else { continue };
            let file = &module_of(modules, &found).ok_or_else(|| anyhow::anyhow!("{found:?} is gone"))?.file;
            if *file != module.file {
                arrows.entry(module.file.clone()).or_default().entry(file.clone()).or_default().insert(name);
            }
        }
    }
    Ok(arrows)
}

/// The module from which a path starts, and what follows; `None` where it leads out of the workspace.
fn absolute(modules: &Modules, here: &Key, path: &[String]) -> Option<(Key, Vec<String>)> {
    let (name, within) = here;
    let first = path.first()?.as_str();
    let rest = || path.iter().skip(1).cloned().collect::<Vec<_>>();
    match first {
        "crate" => Some(((*name, Vec::new()), rest())),
        "self" => Some((here.clone(), rest())),
        "super" => {
            let up = path.iter().take_while(|word| *word == "super").count();
            let left = within.len().checked_sub(up)?;
            let at = within.iter().take(left).cloned().collect();
            Some(((*name, at), path.iter().skip(up).cloned().collect()))
        }
        _ => {
            if let Some(one) = CRATES.iter().find(|one| one.name == first) {
                return Some(((one.name, Vec::new()), rest()));
            }
            let child = (*name, within.iter().cloned().chain([first.to_owned()]).collect::<Vec<_>>());
            if modules.contains_key(&child) {
                return Some((child, rest()));
            }
            let module = module_of(modules, here)?;
            let (_, full, _) = module.uses.iter().find(|(known, ..)| known == first)?;
            // An imported type with an item of its own is the type's arrow; an imported module leads on.
            if full.first().map(String::as_str) == Some(first) {
                return None;
            }
            let (at, mut way) = absolute(modules, here, full)?;
            way.extend(rest());
            Some((at, way))
        }
    }
}

/// The module that defines what is named, through whatever hands it on, and the name.
fn defining(modules: &Modules, at: &Key, path: &[String], depth: usize) -> Option<(Key, String)> {
    let mut at = at.clone();
    let mut rest = path;
    while let Some((first, others)) = rest.split_first() {
        let child = (at.0, at.1.iter().cloned().chain([first.clone()]).collect::<Vec<_>>());
        if !modules.contains_key(&child) {
            break;
        }
        (at, rest) = (child, others);
    }
    let module = module_of(modules, &at)?;
    let Some((name, others)) = rest.split_first() else { return Some((at, "(the module)".to_owned())) };
    if module.defines.contains(name) || depth > DEEPEST {
        return Some((at, name.clone()));
    }
    for (known, full, _) in &module.uses {
        if known == name || known == "*" {
            let Some((from, mut way)) = absolute(modules, &at, full) else { continue };
            if known == "*" {
                way.push(name.clone());
            }
            way.extend(others.iter().cloned());
            let found = defining(modules, &from, &way, depth + 1);
            let there = |found: &(Key, String)| {
                module_of(modules, &found.0).is_some_and(|module| module.defines.contains(&found.1))
            };
            if known == name || found.as_ref().is_some_and(there) {
                return found;
            }
        }
    }
    Some((at, name.clone()))
}

fn module_of<'a>(modules: &'a Modules, key: &Key) -> Option<&'a Module> {
    modules.get(key)?.first()
}
