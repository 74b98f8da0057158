import Foundation
import TestSupport
import Testing

@testable import Bench

/// Contenders are shell scripts here: a line in, a line out.
struct ContenderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func script(_ name: String, _ text: String) -> Contender {
        let path = folder.path
        return Contender(name) {
            try LineProcess(name, program: "/bin/sh", arguments: ["-c", text], folder: path)
        }
    }

    private var steady: Contender {
        script("steady", #"while read line; do echo '{"seconds": 0.5, "probe": [1, 2]}'; done"#)
    }

    @Test("A piece of work is a line, and so is its answer")
    func answers() throws {
        let contender = script(
            "echo", #"read line; case $line in *'"run":"mel"'*) echo '{"seconds": 2}';; esac; read more"#)
        #expect(try contender.run(Work(.mel)).seconds == 2)
        contender.close()
    }

    @Test("A peer that dies in the middle is left out with its last words; the others go on")
    func dies() {
        let dying = script(
            "dying", #"read line; echo '{"seconds": 1}'; read line; echo 'no room left' >&2; exit 3"#)
        let outcomes = Rounds(rounds: 3, pause: 0).run([
            Rounds.Entry("steady", steady, Work(.encode)),
            Rounds.Entry("dying", dying, Work(.encode), reference: "steady"),
        ])
        #expect(outcomes[0].seconds == [0.5, 0.5, 0.5])
        #expect(outcomes[1].seconds.isEmpty)
        let row = outcomes.measurements()[1]
        #expect(row.comparison == nil)
        #expect(row.note == "left out: dying ended (status 3): no room left")
        #expect(outcomes.measurements()[0].median == 500)
    }

    @Test("What one refuses costs it that row and no other")
    func refuses() {
        let picky = script(
            "picky",
            #"while read line; do case $line in *encode*) echo '{"error": "not that"}';; *) echo '{"seconds": 1}';; esac; done"#
        )
        let outcomes = Rounds(rounds: 2, pause: 0).run([
            Rounds.Entry("a", picky, Work(.encode)), Rounds.Entry("b", picky, Work(.mel)),
        ])
        #expect(outcomes[0].failure == "picky: not that")
        #expect(outcomes[1].seconds == [1, 1])
    }

    @Test("What is no reply, and a reply without a time, are told", arguments: ["good morning", #"{"seconds": 0}"#])
    func nonsense(line: String) {
        let contender = script("odd", "while read line; do echo '\(line)'; done")
        let outcome = Rounds(rounds: 1, pause: 0).run([Rounds.Entry("x", contender, Work(.mel))])[0]
        #expect(outcome.failure?.hasPrefix("odd ") == true)
    }

    @Test("A program that is not there is left out, and asked once")
    func absent() {
        let path = folder.path
        let contender = Contender("absent") {
            try LineProcess("absent", program: "/nowhere/python", arguments: [], folder: path)
        }
        for _ in 0..<2 {
            #expect {
                try contender.run(Work(.mel))
            } throws: { "\($0)".hasPrefix("absent: cannot start /nowhere/python") }
        }
    }

    @Test("One that says nothing is given up")
    func silent() {
        let contender = script("silent", "read line; exec sleep 30")
        #expect {
            try contender.run(Work(.mel), patience: 0.2)
        } throws: { "\($0)".contains("said nothing") }
    }

    @Test("The order turns by one each round, after one that does not count")
    func order() throws {
        let log = folder.path + "/log"
        func logging(_ name: String) -> Contender {
            script(name, "while read line; do echo -n \(name) >> '\(log)'; echo '{\"seconds\": 1}'; done")
        }
        let contenders = ["a", "b", "c"].map(logging)
        _ = Rounds(rounds: 3, pause: 0).run(contenders.map { Rounds.Entry($0.name, $0, Work(.mel)) })
        #expect(try String(contentsOfFile: log, encoding: .utf8) == "abc" + "abc" + "bca" + "cab")
    }

    @Test("Results are compared by the norm of their difference")
    func distance() {
        var (one, other) = (WorkReply(), WorkReply())
        (one.probe, other.probe) = ([3, 4], [3, 4])
        #expect(one.distance(from: other) == 0)
        one.probe = [3, 4.5]
        #expect(one.distance(from: other).map { abs($0 - 0.1) < 1e-6 } == true)
        one.probe = [1]
        #expect(one.distance(from: other) == nil)
    }
}
