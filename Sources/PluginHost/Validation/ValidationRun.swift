import CConfinement
import Foundation
import Messages
import Synchronization

/// A plugin's process in the course of a check, with what it gave.
final class ValidationRun {
    // Sendable: results come on the thread of the call under way, and are read between calls; the lock makes it so.
    private final class Gathered: Sendable {
        let results = Mutex<[V1.PluginResult]>([])
        let refused = Mutex<[String]>([])
        let leftBehind = Mutex<String?>(nil)
    }

    let process: PluginProcess
    private let validator: PluginValidator
    private let gathered = Gathered()
    private(set) var needs: [UInt32: PluginNeedsValue] = [:]

    /// - Parameter isStrict: whether a call that is refused ends the process.
    init(_ validator: PluginValidator, isStrict: Bool = false) throws {
        self.validator = validator
        let gathered = gathered
        var access = PluginAccess(arguments: validator.arguments, permissions: validator.permissions)
        access.isStrict = isStrict
        process = try PluginProcess.start(
            validator.bundle, access: access, limits: validator.limits, services: validator.services,
            keepsMemory: false,
            log: { line in
                if line.message.hasPrefix("stderr: " + AUSCULT_LEFT_BEHIND) {
                    gathered.leftBehind.withLock { $0 = String(line.message.dropFirst("stderr: ".count)) }
                }
                guard line.message.hasPrefix(InstanceHost.refusedResult) else { return }
                gathered.refused.withLock {
                    $0.append(String(line.message.dropFirst(InstanceHost.refusedResult.count)))
                }
            },
            result: { result in gathered.results.withLock { $0.append(result) } })
    }

    deinit { process.close() }

    /// Results since the last time this was asked for.
    func takeResults() -> [V1.PluginResult] {
        gathered.results.withLock { results in
            defer { results = [] }
            return results
        }
    }

    /// What was said of processes that it left; nil where it left none. After ``close()``.
    var leftBehind: String? { gathered.leftBehind.withLock { $0 } }

    var refusedResults: [String] { gathered.refused.withLock { $0 } }

    /// create() with the validation's arguments, of which `others` take the place.
    @discardableResult
    func create(_ others: [V1.PluginArgument] = [], instance: UInt32 = 0) throws -> PluginNeedsValue {
        let made = try process.create(arguments: validator.arguments(with: others), instance: instance)
        needs[instance] = made
        return made
    }

    /// create() with the validation's arguments, and activate().
    func begin(instance: UInt32 = 0) throws {
        try create(instance: instance)
        try process.activate(validator.run, instance: instance)
    }

    /// Gives the plugin the clips of `sound`; none where it needs no recordings.
    func hear(
        _ sound: PluginSound, instance: UInt32 = 0, change: (PluginClipValue) -> PluginClipValue = { $0 }
    ) throws {
        for clip in try validator.clips(of: sound, needs[instance] ?? PluginNeedsValue()) {
            try process.process(change(clip), instance: instance)
        }
    }

    /// Shows a part of what the checks of results compare. Parts have no recording in common.
    func hear(part: Int, instance: UInt32 = 0) throws {
        let count = validator.recordingsInPart
        for number in part * count..<(part + 1) * count { try hear(.voice(number: number), instance: instance) }
    }

    func finish(instance: UInt32 = 0) throws { try process.finish(instance: instance) }

    /// Ends the process, which is to end by itself.
    /// - Returns: whether it wrote to its standard output.
    @discardableResult
    func close() throws -> Bool {
        let (willingly, wroteOutput) = process.closeReporting()
        guard willingly else { throw BrokenCheck("destroy() or deinit() did not end, or not well") }
        return wroteOutput
    }
}

extension PluginValidator {
    func clips(of sound: PluginSound, _ needs: PluginNeedsValue) throws -> [PluginClipValue] {
        if needs.nothingToHear { return [] }
        do { return try clips(sound, needs) } catch let error as NothingToShow { throw error } catch {
            throw UnmetNeeds(reason: "\(error)")
        }
    }

    /// A whole run over `parts` in a process of its own.
    func results(of parts: [Int]) throws -> [V1.PluginResult] {
        let run = try ValidationRun(self)
        try run.begin()
        for part in parts { try run.hear(part: part) }
        try run.finish()
        try run.close()
        return run.takeResults()
    }
}

extension PluginValidator {
    /// Recordings in a part for a plugin that has to learn something from their labels.
    private static let enoughToLearn = 18

    /// One; and more for a plugin that needs labels and refuses to say anything after one.
    var recordingsInPart: Int {
        partSize.value {
            guard let run = try? ValidationRun(self) else { return 1 }
            defer { run.process.close() }
            guard (try? run.begin()) != nil, run.needs[0]?.labels == true else { return 1 }
            do {
                try run.hear(.voice(number: 0))
                try run.finish()
            } catch let error as PluginError where !error.isCrash { return Self.enoughToLearn } catch {}
            return 1
        }
    }
}

/// A number that is found once, when it is first asked for.
final class FoundOnce: Sendable {
    private let known = Mutex<Int?>(nil)

    func value(_ find: () -> Int) -> Int {
        if let known = known.withLock({ $0 }) { return known }
        let found = find()
        known.withLock { $0 = found }
        return found
    }
}
