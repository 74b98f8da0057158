import Foundation

/// What one thread makes and another takes, in order: never more than ``capacity`` at a time, the one that the taker works
/// on among them, which is done with when the taker asks for the next.
///
/// An error of the maker comes after all that was made before it.
// Sendable: the state is only touched with `condition` held.
final class BoundedHandover<Element: Sendable>: @unchecked Sendable {
    let capacity: Int
    private let condition = NSCondition()
    private var elements: [Element] = []
    /// Whether the taker has one in its hands.
    private var isTaken = false
    /// Set when nothing more is made.
    private var end: Result<Void, any Error>?
    private var isClosed = false

    init(capacity: Int) { self.capacity = max(1, capacity) }

    // MARK: - The maker's thread

    /// Waits until there is room, and only then makes the next.
    /// - Returns: false where the taker has gone: then nothing was made, and nothing more is to be.
    func put(_ make: () throws -> Element) throws -> Bool {
        guard wait(until: { $0.count < $0.capacity }) else { return false }
        let element = try make()
        return condition.withLock {
            guard !isClosed else { return false }
            elements.append(element)
            condition.broadcast()
            return true
        }
    }

    /// Waits until the taker is through with all that was made.
    /// - Returns: false where the taker has gone.
    func drain() -> Bool { wait { $0.count == 0 } }

    /// Says that no more will be made, and why.
    func finish(_ result: Result<Void, any Error> = .success(())) {
        condition.withLock {
            end = end ?? result
            condition.broadcast()
        }
    }

    // MARK: - The taker's thread

    /// The next, waited for; nil after the last.
    /// - Throws: why the maker stopped, where it did.
    func take() throws -> Element? {
        condition.lock()
        defer { condition.unlock() }
        isTaken = false
        condition.broadcast()
        while elements.isEmpty {
            if isClosed { return nil }
            if let end {
                try end.get()
                return nil
            }
            condition.wait()
        }
        isTaken = true
        return elements.removeFirst()
    }

    /// Says that no more will be taken, and forgets what was not. From any thread.
    func close() {
        condition.withLock {
            isClosed = true
            elements = []
            condition.broadcast()
        }
    }

    // MARK: - With the lock

    private var count: Int { elements.count + (isTaken ? 1 : 0) }

    private func wait(until holds: (BoundedHandover) -> Bool) -> Bool {
        condition.withLock {
            while !isClosed, !holds(self) { condition.wait() }
            return !isClosed
        }
    }
}
