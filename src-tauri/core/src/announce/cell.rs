//! The setup cell: the Python that makes a runtime reachable, and announces it under the session key.
//!
//! It is rendered from the session and what the person wants besides; the secret itself is never in it, but read from
//! the notebook's secrets when it runs. The Python lies beside this file, as Python: `setup` is what runs in the
//! kernel, `keeper` the program that it starts beside the kernel, `announce` the line for people with a cell of their
//! own. Each names the parts that it is put together from, one idea a file. Nothing of it is filled in but one
//! dictionary of literals.

mod copy;
mod gather;
mod literal;
mod make;
mod notebook;
mod plan;
mod text;
mod wish;

pub use copy::{CellCopy, cell_text, notebook_secret};
pub use gather::{CellError, Listen, ListenError, cell_of, listen_to};
pub use make::{Begun, CellMade, begin, make, prepare_relay};
pub use moorline_model::cell_options::{
    CellOptions, GitAddress, InvalidGitAddress, InvalidSetupLine, SetupLine,
};
pub use notebook::notebook;
pub use plan::{CellPlan, MakeCellError};
pub use text::{Cell, CellChannels, CellLink, RelayWay};
pub use wish::{CellWay, CellWish, ToldBy};
