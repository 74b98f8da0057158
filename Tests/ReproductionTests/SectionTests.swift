import Results
import Testing

@testable import Reproduction

@Suite("Sections") struct SectionTests {
    @Test("sections are called differently, by names that are folders")
    func names() {
        let names = Section.all.map(\.id)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { SafeNames.safe($0) == $0 && $0 != "sounds" })
    }

    @Test(
        "a section says what was found, what is done, and from which numbers on it holds",
        arguments: Section.all.map(\.id))
    func complete(id: String) throws {
        let section = try #require(Section.all.first { $0.id == id })
        for text in [section.title, section.claim, section.method] { #expect(text.count > 10) }
        #expect(!section.parts.isEmpty)
        #expect(Set(section.partIDs).count == section.parts.count)
        #expect(!section.partIDs.contains(Exhibit.findings))
        #expect(!section.criteria.isEmpty)
        #expect(Set(section.criteria.map(\.measure)).count == section.criteria.count)
        for criterion in section.criteria {
            #expect(!criterion.question.isEmpty && !criterion.reason.isEmpty)
            #expect(criterion.least >= 1)
            // Partly is the weaker of the two.
            #expect(
                criterion.direction == .atLeast
                    ? criterion.partly < criterion.holds : criterion.partly > criterion.holds)
            // Every verdict can be reached.
            for value in [criterion.holds, criterion.partly] { #expect(value.isFinite) }
        }
        #expect(!section.exhibits.isEmpty)
        for exhibit in section.exhibits {
            #expect(exhibit.part == Exhibit.findings || section.partIDs.contains(exhibit.part))
            #expect(!exhibit.caption.isEmpty)
        }
    }
}
