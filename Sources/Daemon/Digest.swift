import Digests

public typealias SHA256 = Digests.SHA256
