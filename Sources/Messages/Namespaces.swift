/// Our own contract, version 1: the messages and services of `Protos/auscult/v1`.
public enum V1 {}
/// What the daemon and a plugin's process say to each other.
public enum HostV1 {}
/// ttRPC's frames' own messages.
public enum TTRPC {}
/// The status that a call ends with.
public enum GoogleRPC {}
/// protobuf's own messages.
public enum GoogleProtobuf {}
/// gRPC's health checking.
public enum Health {}
/// gRPC's server reflection.
public enum Reflection {}
