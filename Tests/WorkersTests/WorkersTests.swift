import Testing

/// One after the other: each test starts decoder processes, which time out where too many share few cores.
@Suite("Workers", .serialized)
enum WorkersTests {}
