//! Build-time settings of the optional back ends.

fn main() {}
