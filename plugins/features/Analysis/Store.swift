/// Numbers of one kind in memory of their own, for the tables that the inner loop goes through by pointer.
///
/// A class on purpose: a hundred megabytes are not to be copied because a struct around them was. Its one property never
/// changes, so that a look at it is not a check of who else looks. One thread uses it, the plugin's.
final class Store<Number: BitwiseCopyable> {
    let numbers: UnsafeMutableBufferPointer<Number>

    init(repeating value: Number, count: Int) {
        numbers = .allocate(capacity: count)
        numbers.initialize(repeating: value)
    }

    deinit { numbers.deallocate() }

    var count: Int { numbers.count }

    subscript(index: Int) -> Number {
        get {
            precondition(index >= 0 && index < numbers.count, "index out of range")
            return numbers[index]
        }
        set {
            precondition(index >= 0 && index < numbers.count, "index out of range")
            numbers[index] = newValue
        }
    }

    /// The numbers from `start`, `length` of them: the bounds are checked here, once, and not in the loops behind it.
    func slice(_ start: Int, _ length: Int) -> UnsafeMutableBufferPointer<Number> {
        precondition(start >= 0 && length >= 0 && length <= numbers.count - start, "slice out of range")
        return UnsafeMutableBufferPointer(rebasing: numbers[start..<start + length])
    }

    /// The same with rows of `width` numbers where there are rows of `old`; what is new is `value`.
    func widened(rows: Int, from old: Int, to width: Int, with value: Number) -> Store {
        precondition(old <= width && rows * old == numbers.count, "rows of \(old) are not what is stored")
        let wider = Store(repeating: value, count: rows * width)
        for row in 0..<rows {
            for column in 0..<old { wider.numbers[row * width + column] = numbers[row * old + column] }
        }
        return wider
    }
}
