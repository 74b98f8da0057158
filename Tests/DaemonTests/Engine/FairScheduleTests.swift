import Testing

import Daemon

@Suite("The fair schedule") struct FairScheduleTests {
    private let start = ContinuousClock.now
    private func at(_ milliseconds: Int) -> ContinuousClock.Instant { start + .milliseconds(milliseconds) }
    private let a = ClientID(1), b = ClientID(2), c = ClientID(3)

    @Test("within a client the call that came first goes first")
    func order() {
        var schedule = FairSchedule(permits: 1)
        for ticket: UInt64 in [3, 1, 2] { schedule.wait(ticket, client: a) }
        var order: [UInt64] = []
        while let ticket = schedule.grant(now: start) {
            order.append(ticket)
            schedule.release(ticket, now: start)
        }
        #expect(order == [1, 2, 3])
    }

    @Test("the waiting client that had least goes next, and a call that just came does not overtake its equals")
    func leastUsed() {
        var schedule = FairSchedule(permits: 1)
        schedule.wait(1, client: a)
        schedule.wait(2, client: b)
        schedule.wait(3, client: a)
        schedule.wait(4, client: b)
        #expect(schedule.grant(now: at(0)) == 1)
        schedule.release(1, now: at(30))
        #expect(schedule.grant(now: at(30)) == 2)
        schedule.release(2, now: at(40))
        // a had 30 ms, b had 10.
        #expect(schedule.grant(now: at(40)) == 4)
        schedule.release(4, now: at(80))
        #expect(schedule.grant(now: at(80)) == 3)
    }

    @Test("no more calls compute than there are permits", arguments: [1, 2, 5])
    func permits(permits: Int) {
        var schedule = FairSchedule(permits: permits)
        for ticket: UInt64 in 1...10 { schedule.wait(ticket, client: ClientID(ticket)) }
        while schedule.grant(now: start) != nil {}
        #expect(schedule.running == permits && schedule.waiting == 10 - permits)
        schedule.release(1, now: at(1))
        schedule.release(1, now: at(2))
        #expect(schedule.running == permits - 1)
        #expect(schedule.grant(now: at(3)) != nil)
        #expect(schedule.grant(now: at(3)) == nil)
    }

    @Test("clients that always want more get equal time within one piece of work, whatever their pieces cost")
    func equalShares() {
        var schedule = FairSchedule(permits: 1)
        let costs = [a: 7, b: 50, c: 3]
        var used: [ClientID: Int] = [:]
        var owners: [UInt64: ClientID] = [:]
        var ticket: UInt64 = 0
        var clock = 0
        func arrive(_ client: ClientID) {
            ticket += 1
            owners[ticket] = client
            schedule.wait(ticket, client: client)
        }
        for client in [a, b, c] {
            arrive(client)
            arrive(client)
        }
        for _ in 0..<2000 {
            guard let next = schedule.grant(now: at(clock)), let client = owners[next], let cost = costs[client] else {
                Issue.record("nobody goes though calls wait")
                return
            }
            clock += cost
            used[client, default: 0] += cost
            schedule.release(next, now: at(clock))
            arrive(client)
        }
        let shares = used.values
        #expect(shares.count == 3 && (shares.max() ?? 0) - (shares.min() ?? 0) <= 50)
    }

    @Test("a client that comes back has no credit for its absence, and keeps what it owes")
    func noCredit() {
        var schedule = FairSchedule(permits: 1)
        schedule.wait(1, client: a)
        schedule.wait(2, client: b)
        _ = schedule.grant(now: at(0))
        schedule.release(1, now: at(100))
        _ = schedule.grant(now: at(100))
        // a is away and owes: it had 100 ms, and virtual time is at 50.
        #expect(schedule.use(of: a, now: at(100)) == .milliseconds(100))
        schedule.wait(3, client: c)
        #expect(schedule.use(of: c, now: at(100)) == .milliseconds(50))
        schedule.wait(4, client: a)
        schedule.release(2, now: at(110))
        #expect(schedule.grant(now: at(110)) == 3)
        schedule.release(3, now: at(120))
        #expect(schedule.grant(now: at(120)) == 4)
    }

    @Test("an endless row of new clients does not keep an old one waiting")
    func newcomers() {
        var schedule = FairSchedule(permits: 1)
        schedule.wait(1, client: a)
        _ = schedule.grant(now: at(0))
        schedule.release(1, now: at(0))
        schedule.wait(2, client: a)
        _ = schedule.grant(now: at(0))
        schedule.wait(3, client: ClientID(100))
        schedule.release(2, now: at(1000))
        schedule.wait(4, client: a)
        var clock = 1000
        for newcomer: UInt64 in 0..<500 {
            guard let next = schedule.grant(now: at(clock)) else { break }
            if next == 4 { return }
            clock += 10
            schedule.wait(101 + newcomer, client: ClientID(101 + newcomer))
            schedule.release(next, now: at(clock))
            #expect(schedule.remembered < 20, "clients that left are forgotten")
        }
        Issue.record("the old client waited for 500 newcomers")
    }

    @Test("a call hands over only after its quantum, and only to a client that had less")
    func yields() {
        var schedule = FairSchedule(permits: 1)
        schedule.wait(1, client: a)
        _ = schedule.grant(now: at(0))
        func yields(_ time: Int) -> Bool { schedule.shouldYield(1, quantum: .milliseconds(50), now: at(time)) }
        #expect(!yields(60), "nobody waits")
        schedule.wait(2, client: a)
        #expect(!yields(60), "the same client's next call")
        schedule.wait(3, client: b)
        #expect(!yields(49) && yields(50))
        #expect(!schedule.shouldYield(3, quantum: .zero, now: at(60)), "a call that waits has nothing to hand over")
    }

    @Test("when nobody is left, all start alike again and nobody is remembered")
    func fresh() {
        var schedule = FairSchedule(permits: 1)
        schedule.wait(1, client: a)
        _ = schedule.grant(now: at(0))
        schedule.release(1, now: at(1000))
        #expect(schedule.remembered == 0)
        #expect(schedule.use(of: a, now: at(1000)) == schedule.use(of: b, now: at(1000)))
        schedule.wait(2, client: a)
        #expect(schedule.leave(2) && !schedule.leave(2))
        #expect(schedule.remembered == 0 && schedule.waiting == 0)
    }

    @Test("an urgent call goes beside the one that computes, whose time does not count meanwhile; a second one waits")
    func urgent() {
        var schedule = FairSchedule(permits: 1)
        schedule.wait(1, client: a)
        #expect(schedule.grant(now: at(0)) == 1)
        schedule.wait(2, client: b, isUrgent: true)
        schedule.wait(3, client: c, isUrgent: true)
        #expect(schedule.grant(now: at(10)) == 2 && schedule.grant(now: at(10)) == nil)
        #expect(schedule.running == 2 && !schedule.hasFreePermit)
        #expect(schedule.use(of: a, now: at(30)) == .milliseconds(10))
        schedule.release(2, now: at(30))
        #expect(schedule.grant(now: at(30)) == 3)
        schedule.release(3, now: at(35))
        #expect(schedule.use(of: a, now: at(40)) == .milliseconds(15))
        // The quantum is of what it computed.
        schedule.wait(4, client: ClientID(9))
        func yields(_ time: Int) -> Bool { schedule.shouldYield(1, quantum: .milliseconds(50), now: at(time)) }
        #expect(!yields(74) && yields(75))
        schedule.release(1, now: at(75))
        #expect(schedule.grant(now: at(75)) == 4)
    }

    @Test(
        "a call that comes while an urgent one computes has the other permit, and its time begins when that has ended"
    )
    func besideUrgent() {
        var schedule = FairSchedule(permits: 1)
        schedule.wait(1, client: a, isUrgent: true)
        #expect(schedule.grant(now: at(0)) == 1)
        schedule.wait(2, client: b)
        #expect(schedule.grant(now: at(1)) == 2)
        #expect(schedule.use(of: b, now: at(20)) == schedule.virtualTime)
        schedule.release(1, now: at(20))
        let before = schedule.virtualTime
        #expect(schedule.use(of: b, now: at(30)) >= .milliseconds(10))
        schedule.release(2, now: at(30))
        #expect(schedule.virtualTime >= before && schedule.remembered == 0)
    }

    @Test("urgent calls that had more than the others by the allowance wait like any other")
    func allowance() {
        var schedule = FairSchedule(permits: 1, allowance: .milliseconds(50), urgentCost: 1)
        schedule.wait(1, client: a)
        _ = schedule.grant(now: at(0))
        // Its use is 0, then 40 ms, then 80; a's stands still meanwhile.
        for (ticket, time) in [(2, 0), (3, 40)] as [(UInt64, Int)] {
            schedule.wait(ticket, client: b, isUrgent: true)
            #expect(schedule.grant(now: at(time)) == ticket)
            schedule.release(ticket, now: at(time + 40))
        }
        schedule.wait(4, client: b, isUrgent: true)
        #expect(schedule.grant(now: at(80)) == nil && schedule.grant(now: at(109)) == nil)
        #expect(schedule.grant(now: at(110)) == 4)
        schedule.release(4, now: at(200))
        schedule.wait(5, client: b, isUrgent: true)
        #expect(schedule.grant(now: at(200)) == nil)
        // Where a gives its permit back, anyone may take it.
        schedule.release(1, now: at(201))
        #expect(schedule.grant(now: at(201)) == 5)
    }

    /// Text that always wants the engine, in looks of 400 ms with a checkpoint every 10, beside features whose passes take `pass`
    /// milliseconds and come every `hop`, or as soon as the one before is through.
    /// - Returns: the features' part of the time, and the longest that a pass waited, over 20 s.
    private func features(pass: Int, hop: Int) -> (part: Double, wait: Int) {
        var schedule = FairSchedule(permits: 1)
        var (text, feature) = (UInt64(1), UInt64(2))
        schedule.wait(text, client: a)
        var isTextRunning = false
        var (left, due, asked): (Int, Int, Int?) = (0, 0, nil)
        var (textTime, featureTime, longest) = (0, 0, 0)
        for clock in 0..<20_000 {
            if left == 0, asked == nil, clock >= due {
                schedule.wait(feature, client: b, isUrgent: true)
                asked = clock
            }
            while let granted = schedule.grant(now: at(clock)) {
                if granted == text {
                    isTextRunning = true
                } else {
                    left = pass
                    longest = max(longest, clock - (asked ?? clock))
                    asked = nil
                }
            }
            // A pass has all others pause.
            if left > 0 {
                left -= 1
                featureTime += 1
                guard left == 0 else { continue }
                schedule.release(feature, now: at(clock + 1))
                feature += 2
                due = max(due + hop, clock + 1)
            } else if isTextRunning {
                textTime += 1
                let isOver = textTime % 400 == 0
                guard
                    isOver
                        || textTime % 10 == 0
                            && schedule.shouldYield(text, quantum: .milliseconds(50), now: at(clock + 1))
                else { continue }
                schedule.release(text, now: at(clock + 1))
                if isOver { text += 2 }
                schedule.wait(text, client: a)
                isTextRunning = false
            }
        }
        return (Double(featureTime) / Double(featureTime + textTime), longest)
    }

    @Test(
        "where time is short for both, features leave most of it to text, however long their passes take",
        arguments: [30, 90, 250])
    func overload(pass: Int) {
        let (part, _) = features(pass: pass, hop: 1)
        #expect((0.2...0.32).contains(part), "\(part)")
        // Hops that time is not short for as such are widened as well.
        let hops = features(pass: pass, hop: 100)
        #expect((0.2...0.32).contains(hops.part), "\(hops)")
    }

    @Test("features that need less than that of the time never wait for text")
    func spare() {
        for pass in [5, 15, 20] {
            let (part, wait) = features(pass: pass, hop: 100)
            #expect(abs(part - Double(pass) / 100) < 0.01 && wait == 0, "\(pass): \(part), \(wait)")
        }
    }
}
