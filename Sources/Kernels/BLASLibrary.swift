import COpenBLAS

/// OpenBLAS as this process has it: the portable path of products, and the oracle of our own.
public enum BLASLibrary {
    /// Tells OpenBLAS to stay on the thread that calls it.
    static func keepToCallingThread() { openblas_set_num_threads(1) }
}
