/// The version that `auscult --version` prints.
let auscultVersion = "0.1.0"
