import PluginDraws
import Testing

@testable import Features

@Suite("Moments")
struct MomentTests {
    @Test("a key is its recording and frame again, and stirring is a bijection")
    func bijection() {
        var draws = SplitMix(seed: 3)
        let salt = FrameMoment.salt(17)
        for _ in 0..<1000 {
            let moment = FrameMoment(
                recording: draws.next() % FrameMoment.recordings, frame: draws.next() % FrameMoment.frames)
            #expect(FrameMoment(key: moment.key(salt: salt), salt: salt) == moment)
            let number = draws.next()
            #expect(Hashing.unstirred(Hashing.stirred(number)) == number)
        }
        #expect(
            FrameMoment(key: FrameMoment(recording: 0, frame: 0).key(salt: 0), salt: 0)
                == FrameMoment(recording: 0, frame: 0))
    }

    @Test("another seed draws others")
    func seeds() {
        let moment = FrameMoment(recording: 4, frame: 9)
        #expect(moment.key(salt: FrameMoment.salt(1)) != moment.key(salt: FrameMoment.salt(2)))
    }
}
