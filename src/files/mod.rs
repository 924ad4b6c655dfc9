//! Files and directories of ours, in places where others can make files too.
//!
//! What we write beside a database is named by its database, and whoever may write there could have put something
//! under that name first: a link to somebody's file, a pipe, a directory of their own. Everything of ours is opened
//! through here: without following a link, below a directory that was looked at while it was open, and only if it is
//! what it should be, belongs to this user, to the database's owner or to root, has one name, and can be written to by
//! nobody else. What is made is made for its owner only, whatever the umask; root makes it for the directory's owner.
//!
//! Known weakness: a kernel without `openat2` looks for links above the last two names a moment before it opens them.

mod denied;
mod dir;
mod judge;
mod kept;
mod owner;

pub use denied::{denied_beside, explain_denied};
pub use dir::{
    How, PrivateDir, create_given_dir, create_private_dir, if_there, open_given, open_private, remove_private_dir,
};
pub use judge::{Planted, refuse_planted_beside};
pub use kept::KeptDir;
pub use owner::{own_user, user_for_sudo, user_name};
