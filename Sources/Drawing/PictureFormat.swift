/// The kinds of file that a picture can become.
package enum PictureFormat: String, CaseIterable, Sendable {
    /// Pixels, two for each unit of the picture: sharp on dense screens.
    case png
    /// SVG 1.1: letters are outlines, so it looks the same whatever fonts a reader has; what they spell stands beside them.
    case svg
    /// PDF 1.5, one page of the picture's size; letters are text, their fonts are embedded.
    case pdf
}
