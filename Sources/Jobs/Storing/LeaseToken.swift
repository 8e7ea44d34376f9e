extension Environment {
    /// A new lease's token: 128 random bits, hexadecimal.
    public func leaseToken() -> String { Hexadecimal.text(randomBytes(16)) }
}
