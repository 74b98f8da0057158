import Messages
import Testing

@Suite("Names of enums") struct EnumNameTests {
    @Test("a value has the contract's name in lower case, and is found by it")
    func bothWays() {
        #expect(V1.ResultKind.timedEvents.name == "timed_events")
        #expect(V1.ResultKind(name: "timed_events") == .timedEvents)
        #expect(V1.EncoderContext.names == ["full", "auto"])
        for kind in V1.DType.allCases { #expect(V1.DType(name: kind.name) == kind) }
    }

    @Test("what stands for no value is none of the cases; a number without a name is its own")
    func unknown() {
        #expect(V1.ResultKind(name: "result_kind_unspecified") == nil && V1.ResultKind(name: "") == nil)
        #expect(!V1.ResultKind.allCases.contains(.resultKindUnspecified))
        #expect(V1.ResultKind(rawValue: 99).name == "99")
        // A zero that means something is a case.
        #expect(V1.ModelRef.Precision.allCases.contains(V1.ModelRef.Precision(rawValue: 0)))
    }
}
