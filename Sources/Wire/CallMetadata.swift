/// What a call says beside its request; keys as ttRPC's metadata have them.
public enum CallMetadata {
    /// The folder in which the caller's relative paths begin, absolute.
    public static let workingFolder = "working-folder"
}
