/// Where a job's blobs are, for those who write and those who read them.
extension JobID {
    /// The folder of all job folders.
    public static let blobFolder = "jobs"

    /// `jobs/{id}`: removing it removes every blob of the job.
    public var blobPrefix: String { "\(Self.blobFolder)/\(self)" }

    /// What was uploaded.
    public var sourceKey: String { "\(blobPrefix)/source" }

    /// The NDJSON result of an attempt; each has its own, so that a worker that was given up disturbs nobody.
    public func resultKey(attempt: Int) -> String { "\(blobPrefix)/results-\(attempt).ndjson" }

    /// Where an attempt's parts keep their records until its leader has put them together.
    public func partsPrefix(attempt: Int) -> String { "\(blobPrefix)/parts-\(attempt)" }

    /// The NDJSON records of a part; each claim of it has its own.
    public func partKey(attempt: Int, part: Int, token: String) -> String {
        "\(partsPrefix(attempt: attempt))/\(part)-\(token).ndjson"
    }

    /// What was kept of an attempt whose worker is gone. Not the attempt's own key, whose blob that worker removes, should
    /// it be there after all.
    public func keptResultKey(attempt: Int) -> String { "\(blobPrefix)/results-\(attempt)-kept.ndjson" }

    /// The annotated video of an attempt. The extension tells an encoder and a client what it is.
    public func videoKey(attempt: Int, fileExtension: String) -> String {
        "\(blobPrefix)/video-\(attempt).\(fileExtension)"
    }

    /// The stabilised crops of the spec's target number `target`, which counts from 0.
    public func cropsKey(attempt: Int, target: Int) -> String { "\(blobPrefix)/crops-\(attempt)-\(target).mp4" }

    /// A result in another form than the stored one, as this version of the program makes it.
    ///
    /// - Parameter name: the form, of letters, digits and dots: `csv`, `json.gz`.
    public func exportKey(attempt: Int, version: String, name: String) -> String {
        let version = String(version.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == ".") ? $0 : "-" })
        return "\(blobPrefix)/exports/results-\(attempt)-\(version).\(name)"
    }
}
