import Kernels

/// W z + b for many rows: W is laid out once, in panels of a few classes with a row for each feature, as the products read it.
struct Logits {
    let classes: Int, features: Int
    /// Classes and what fills the last panel: elements between two rows of logits.
    let stride: Int
    /// [panels][features][panel], zeros behind the last class.
    private let panels: [Double]
    /// [stride], zeros behind the last class.
    private let bias: [Double]

    /// - Parameter point: W, [classes, features], and behind it b, [classes].
    init(_ point: [Double], classes: Int, features: Int) {
        self.classes = classes
        self.features = features
        let width = DoubleProduct.panelWidth
        stride = (classes + width - 1) / width * width
        var panels = [Double](repeating: 0, count: stride * features)
        for index in 0..<classes {
            let to = index / width * features * width + index % width
            for entry in 0..<features { panels[to + entry * width] = point[index * features + entry] }
        }
        self.panels = panels
        bias = Array(point[(classes * features)...]) + [Double](repeating: 0, count: stride - classes)
    }

    /// Writes the logits of `count` rows of features, [count, ``stride``].
    func write(_ rows: UnsafePointer<Double>, _ count: Int, into out: UnsafeMutablePointer<Double>) {
        let width = DoubleProduct.panelWidth
        for row in 0..<count { (out + row * stride).update(from: bias, count: stride) }
        func multiply(_ panels: UnsafePointer<Double>) {
            for column in Swift.stride(from: 0, to: stride, by: width) {
                DoubleProduct.multiply(
                    m: count, n: width, k: features, rows, lda: features, panels + column * features, ldb: width,
                    into: out + column, ldc: stride, accumulating: true)
            }
        }
        multiply(panels)
    }
}
