// swift-tools-version: 6.2
import PackageDescription

// LKTRACK_STRICT=1, which `./run lint` and `./run test` set, makes every warning of ours an error; users with a newer
// compiler are not stopped by a warning that it invents.
let strict = Context.environment["LKTRACK_STRICT"] == "1"
let swiftSettings: [SwiftSetting] = strict ? [.treatAllWarnings(as: .error)] : []
let cSettings: [CSetting] =
    [.enableWarning("all"), .enableWarning("extra")] + (strict ? [.treatAllWarnings(as: .error)] : [])
let cxxSettings: [CXXSetting] =
    [.enableWarning("all"), .enableWarning("extra")] + (strict ? [.treatAllWarnings(as: .error)] : [])

// The numeric targets are built for AVX2 and FMA (x86-64-v3), which Swift's SIMD types need to become vector
// instructions; `lktrack` checks the processor at start and says so instead of dying of an illegal instruction.
// LKTRACK_BASELINE=1 leaves them out, for processors without. They are optimised in debug builds too: without, a test of
// the tracker takes a hundred times as long. (SwiftPM lets packages depend on unsafe flags since tools version 6.2.)
let baseline = Context.environment["LKTRACK_BASELINE"] == "1"
#if arch(x86_64)
    let vectorFlags = baseline ? [] : ["-Xcc", "-march=x86-64-v3"]
#else
    let vectorFlags: [String] = []
#endif
let numericSettings: [SwiftSetting] =
    swiftSettings + [.unsafeFlags(vectorFlags), .unsafeFlags(["-O"], .when(configuration: .debug))]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "lktrack",
    products: [
        .library(name: "LucasKanade", targets: ["LucasKanade"]),
        .library(name: "Tracking", targets: ["Tracking"]),
        .executable(name: "lktrack", targets: ["lktrack"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: [.defaults, "YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        // The numeric core: standard library only.
        .target(
            name: "LucasKanade", swiftSettings: numericSettings,
            // The standard library's square root calls the C library's where it is not inlined.
            linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
        .target(name: "Tracking", dependencies: ["LucasKanade"], swiftSettings: numericSettings),

        // C and C++ behind C headers.
        .target(
            name: "CVBridge",
            cxxSettings: cxxSettings + [.unsafeFlags(["-I/usr/include/opencv4"])],
            // And opencv_imgcodecs, which it loads when an image file is first read or written.
            linkerSettings: ["opencv_core", "opencv_imgproc", "avformat", "avcodec", "avutil", "swscale"].map {
                .linkedLibrary($0)
            }
        ),
        .target(name: "CLinux", cSettings: cSettings + (baseline ? [.define("LKTRACK_BASELINE")] : [])),
        // Loads libpq when it is first used: only its header is needed here, and nothing where SQLite is used.
        .target(name: "CPostgres", cSettings: cSettings),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),

        // Media: decoding in a process of its own, encoding.
        .target(
            name: "Media", dependencies: ["CArchive", "CLinux", "CSeccomp", "CVBridge", "LucasKanade", "StreamSafe"],
            swiftSettings: swiftSettings),

        // What text of strangers may be.
        .target(name: "StreamSafe", swiftSettings: swiftSettings),

        // The job's life.
        .target(name: "Jobs", dependencies: ["StreamSafe"], swiftSettings: swiftSettings),
        .target(
            name: "SQLiteJobStore",
            dependencies: [
                "CLinux", "Jobs", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            resources: [.embedInCode("Migrations")],
            swiftSettings: swiftSettings
        ),
        .target(
            name: "PostgresJobStore", dependencies: ["CPostgres", "Jobs"], resources: [.embedInCode("Migrations")],
            swiftSettings: swiftSettings),
        .target(name: "FileBlobStore", dependencies: ["CLinux", "Jobs", crypto], swiftSettings: swiftSettings),
        .target(name: "S3BlobStore", dependencies: ["CCurl", "Jobs", crypto], swiftSettings: swiftSettings),
        .target(
            name: "Migration", dependencies: ["Jobs", "PostgresJobStore", "SQLiteJobStore", crypto],
            swiftSettings: swiftSettings),
        .target(
            name: "Workers", dependencies: ["CLinux", "Jobs", "LucasKanade", "Media", "Tracking", logging],
            swiftSettings: swiftSettings),

        .target(name: "Webhooks", dependencies: ["CCurl", "Jobs", crypto, logging], swiftSettings: swiftSettings),

        // HTTP.
        .target(
            name: "HTTPServer", dependencies: ["CMicroHTTPD", "CZlib", "StreamSafe", logging],
            swiftSettings: swiftSettings),
        .target(name: "PrometheusMetrics", swiftSettings: swiftSettings),
        .target(name: "WebPage", resources: [.embedInCode("Assets")], swiftSettings: swiftSettings),
        .target(
            name: "TrackingAPI",
            dependencies: [
                "HTTPServer", "Jobs", "PrometheusMetrics", "StreamSafe", "WebPage", crypto, logging,
            ],
            swiftSettings: swiftSettings),

        .executableTarget(
            name: "lktrack",
            dependencies: [
                "CLinux", "FileBlobStore", "HTTPServer", "Jobs", "LucasKanade", "Media", "Migration",
                "PostgresJobStore", "PrometheusMetrics", "S3BlobStore", "SQLiteJobStore", "Tracking", "TrackingAPI",
                "Webhooks", "Workers",
                argumentParser, crypto, logging,
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: swiftSettings
        ),

        // What the README shows.
        .executableTarget(
            name: "FollowFrames", dependencies: ["LucasKanade", "Tracking"], path: "Examples",
            swiftSettings: swiftSettings),

        // Benchmarks and tests.
        .target(
            name: "OpenCVPeer", path: "Benchmarks/OpenCVPeer",
            cxxSettings: cxxSettings + [.unsafeFlags(["-I/usr/include/opencv4"])],
            linkerSettings: ["opencv_core", "opencv_imgproc", "opencv_videoio"].map { .linkedLibrary($0) }
        ),
        .target(
            name: "OpenCVTracking", path: "Benchmarks/OpenCVTracking",
            cxxSettings: cxxSettings + [.unsafeFlags(["-I/usr/include/opencv4"])],
            linkerSettings: ["opencv_core", "opencv_imgproc", "opencv_tracking", "opencv_video"].map {
                .linkedLibrary($0)
            }
        ),
        .executableTarget(
            name: "lktrack-bench",
            dependencies: [
                "CapacityModel", "Jobs", "LucasKanade", "Media", "OpenCVTracking", "PostgresJobStore", "SQLiteJobStore",
                "ServiceHarness", "Tracking", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            path: "Benchmarks/lktrack-bench", swiftSettings: swiftSettings),
        // What docs/scaling.md calculates with.
        .target(name: "CapacityModel", path: "Benchmarks/CapacityModel", swiftSettings: numericSettings),
        .executableTarget(
            name: "lktrack-simulate", dependencies: ["CapacityModel"], path: "Benchmarks/lktrack-simulate",
            swiftSettings: swiftSettings),
        .testTarget(name: "CapacityModelTests", dependencies: ["CapacityModel"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "lktrack-decode-alone", dependencies: ["OpenCVPeer"], path: "Benchmarks/lktrack-decode-alone",
            swiftSettings: swiftSettings),
        .executableTarget(
            name: "lktrack-bare-httpd", dependencies: ["CMicroHTTPD"], path: "Benchmarks/lktrack-bare-httpd",
            cSettings: cSettings),
        .testTarget(name: "LucasKanadeTests", dependencies: ["LucasKanade"], swiftSettings: swiftSettings),
        .testTarget(name: "TrackingTests", dependencies: ["LucasKanade", "Tracking"], swiftSettings: swiftSettings),
        // A decoder process that tries, once it is restricted, what a taken-over one would.
        .executableTarget(
            name: "decoder-probe", dependencies: ["CLinux", "Media"], path: "Tests/DecoderProbe",
            swiftSettings: swiftSettings),
        .testTarget(
            name: "MediaTests",
            dependencies: ["CLinux", "LucasKanade", "Media", "ServiceHarness", "decoder-probe", "lktrack"],
            swiftSettings: swiftSettings),
        .testTarget(name: "StreamSafeTests", dependencies: ["StreamSafe"], swiftSettings: swiftSettings),
        .testTarget(name: "JobsTests", dependencies: ["Jobs"], swiftSettings: swiftSettings),
        .target(
            name: "JobStoreContract", dependencies: ["Jobs"], path: "Tests/JobStoreContract",
            swiftSettings: swiftSettings),
        .target(
            name: "BlobStoreContract", dependencies: ["Jobs"], path: "Tests/BlobStoreContract",
            swiftSettings: swiftSettings),
        .testTarget(
            name: "SQLiteJobStoreTests",
            dependencies: [
                "Jobs", "JobStoreContract", "SQLiteJobStore", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "PostgresJobStoreTests",
            dependencies: ["Jobs", "JobStoreContract", "PostgresJobStore", "ServiceHarness"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "MigrationTests",
            dependencies: [
                "FileBlobStore", "JobStoreContract", "Jobs", "Migration", "PostgresJobStore", "SQLiteJobStore",
                "ServiceHarness", .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "FileBlobStoreTests", dependencies: ["BlobStoreContract", "FileBlobStore", "Jobs"],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "S3BlobStoreTests",
            dependencies: [
                "BlobStoreContract", "FileBlobStore", "JobStoreContract", "Jobs", "S3BlobStore", "ServiceHarness",
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "WorkersTests",
            dependencies: [
                "CLinux", "FileBlobStore", "HTTPServer", "Jobs", "JobStoreContract", "LucasKanade", "Media",
                "SQLiteJobStore", "Tracking", "TrackingAPI", "Workers", "lktrack", logging,
            ],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "WebhooksTests",
            dependencies: ["JobStoreContract", "Jobs", "SQLiteJobStore", "ServiceHarness", "Webhooks", logging],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "PrometheusMetricsTests", dependencies: ["PrometheusMetrics"], swiftSettings: swiftSettings),
        .testTarget(
            name: "HTTPServerTests", dependencies: ["CLinux", "HTTPServer", "ServiceHarness", logging],
            swiftSettings: swiftSettings),
        .testTarget(
            name: "TrackingAPITests",
            dependencies: [
                "FileBlobStore", "HTTPServer", "JobStoreContract", "Jobs", "SQLiteJobStore", "TrackingAPI", "WebPage",
                crypto, logging,
            ],
            swiftSettings: swiftSettings),
        // The real server and what drives it: for end-to-end tests, and for the proofs.
        .target(
            name: "ServiceHarness", dependencies: ["Jobs", "Webhooks"], path: "Tests/ServiceHarness",
            swiftSettings: swiftSettings),
        .testTarget(name: "ServiceHarnessTests", dependencies: ["ServiceHarness"], swiftSettings: swiftSettings),
        .executableTarget(
            name: "lktrack-proofs",
            dependencies: ["Jobs", "PostgresJobStore", "SQLiteJobStore", "ServiceHarness", "Webhooks"],
            path: "Proofs/lktrack-proofs", swiftSettings: swiftSettings),
        // What `./run fuzz` drives, and what the tests try on the committed corpus.
        .target(
            name: "FuzzTargets",
            dependencies: ["CCurl", "HTTPServer", "Jobs", "Media", "S3BlobStore", "StreamSafe", "TrackingAPI"],
            path: "Fuzzing/FuzzTargets", swiftSettings: swiftSettings),
        .testTarget(name: "FuzzTargetsTests", dependencies: ["FuzzTargets"], swiftSettings: swiftSettings),
        .testTarget(name: "CommandTests", dependencies: ["Tracking", "lktrack"], swiftSettings: swiftSettings),
        .testTarget(
            name: "EndToEndTests", dependencies: ["ServiceHarness", "lktrack"], swiftSettings: swiftSettings),
    ],
    swiftLanguageModes: [.v6],
    cxxLanguageStandard: .cxx17
)

// LKTRACK_FUZZ=1, which `./run fuzz` sets in a build of its own, adds the program that libFuzzer drives: it links against
// the sanitizer's runtime, which other builds have not.
if Context.environment["LKTRACK_FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "lktrack-fuzz", dependencies: ["FuzzTargets"], path: "Fuzzing/lktrack-fuzz",
            swiftSettings: swiftSettings))
}
