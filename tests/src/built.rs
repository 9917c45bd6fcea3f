//! Where what was built for a test lies.

use std::path::PathBuf;

/// `target/debug` or its like: where cargo put the running test's programs.
pub(crate) fn target_folder() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own program");
    let folder = test.parent().expect("a program lies in a folder");
    if folder.ends_with("deps") { folder.parent().expect("deps lies in a folder") } else { folder }
        .to_path_buf()
}
