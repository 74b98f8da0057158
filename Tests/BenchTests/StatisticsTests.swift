import Testing

@testable import Bench

struct StatisticsTests {
    @Test("Quantiles lie between the samples by straight lines, whatever their order")
    func quantiles() {
        let samples = [4.0, 1, 3, 2]
        #expect(Statistics.median(of: samples) == 2.5)
        #expect(Statistics.quantile(0, of: samples) == 1)
        #expect(Statistics.quantile(1, of: samples) == 4)
        let (low, high) = Statistics.quartiles(of: samples)
        #expect(low == 1.75 && high == 3.25)
        #expect(Statistics.median(of: [7]) == 7)
    }

    @Test("Of no samples there is no median")
    func nothing() {
        #expect(Statistics.median(of: []).isNaN)
        #expect(Measurement(name: "x", unit: "ms", samples: [], ideal: 1).timesIdeal == nil)
    }

    @Test("A ratio is taken round by round, not of the medians")
    func ratios() {
        // The machine was twice as slow in the second round: it falls on both, and the ratio does not move.
        let peer = Measurement(name: "peer", unit: "ms", samples: [20, 40, 20])
        let ours = Measurement(name: "ours", unit: "ms", samples: [10, 20, 10])
        let comparison = peer.compared(to: ours).comparison
        #expect(comparison?.ratios == [2, 2, 2])
        #expect(comparison?.reference == "ours")
    }

    @Test("Beside something that was not measured there is no ratio")
    func missing() {
        let ours = Measurement(name: "ours", unit: "ms", samples: [])
        #expect(Measurement(name: "peer", unit: "ms", samples: [1, 2]).compared(to: ours).comparison == nil)
    }
}
