/// The version of `auscult` and `auscultd`, which are released together.
package let auscultVersion = "0.1.0"
