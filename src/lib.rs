pub mod launch;
pub mod model;
pub mod store;
pub mod sys;
