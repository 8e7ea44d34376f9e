/// Which lktrack this is; also in every JSON result as its provenance.
enum Version {
    /// Semantic versioning 2.0.
    static let text = "0.2.0"
}
