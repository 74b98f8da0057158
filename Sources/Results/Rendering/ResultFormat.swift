/// The form of a result that is not audio.
package enum ResultFormat: String, CaseIterable {
    case text, json
}
