//! Makes cargo look at the migrations: they are embedded into the library when it is compiled.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
