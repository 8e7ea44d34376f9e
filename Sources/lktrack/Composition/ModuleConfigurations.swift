import Foundation
import HTTPServer
import Jobs
import Media
import TrackingAPI
import Webhooks
import Workers

/// What each module is told of the service's configuration.
extension ServiceConfiguration {
    private static let cores = ProcessInfo.processInfo.activeProcessorCount
    /// Those of a job that it runs, its decoder's included, and some more.
    private static let descriptorsOfAWorker = 16

    /// For jobs.
    var decodeLimits: DecodeLimits {
        DecodeLimits(
            pixels: limits.pixels, frames: limits.frames, stallSeconds: limits.decoderStallSeconds,
            archiveBytes: Int64(limits.archiveBytes),
            diskFloorBytes: StorageLimits.unpackingFloor(ofReserve: Int64(limits.diskReserveBytes)),
            memoryBytes: limits.decoderMemoryBytes, seconds: limits.decoderSeconds)
    }

    /// For what is decoded on demand, which may take nothing of what is kept from uploads.
    var renderingDecodeLimits: DecodeLimits {
        var decode = decodeLimits
        decode.diskFloorBytes = Int64(limits.diskReserveBytes)
        return decode
    }

    /// Jobs that were accepted may use most of what is kept from uploads.
    var jobStorage: StorageLimits {
        StorageLimits(
            resultBytes: Int64(limits.resultBytes),
            floorBytes: StorageLimits.floor(ofReserve: Int64(limits.diskReserveBytes)))
    }

    /// Videos on demand may not, as uploads may not.
    var renderingStorage: StorageLimits {
        StorageLimits(resultBytes: Int64(limits.resultBytes), floorBytes: Int64(limits.diskReserveBytes))
    }

    func workerConfiguration(decoder: DecoderCommand) -> WorkerConfiguration {
        var configuration = WorkerConfiguration()
        configuration.workers = workers == 0 ? Self.cores : workers
        configuration.leaseSeconds = leaseSeconds
        configuration.partTargets = partTargets
        configuration.limits = decodeLimits
        configuration.storage = jobStorage
        configuration.decoder = decoder
        configuration.sharesBlobs = mayShareBlobs
        return configuration
    }

    var apiConfiguration: APIConfiguration {
        var configuration = APIConfiguration()
        configuration.scope = roles.contains(.api) ? .everything : .operations
        configuration.uploadBytes = Int64(limits.uploadBytes)
        configuration.uploadSeconds = limits.uploadSeconds
        configuration.openUploads = limits.openUploads
        configuration.frames = limits.frames
        configuration.queuedJobs = limits.queuedJobs
        configuration.queuedJobsPerTenant = limits.queuedJobsPerTenant > 0 ? limits.queuedJobsPerTenant : nil
        configuration.storedBytesPerTenant =
            limits.storedBytesPerTenant > 0 ? Int64(limits.storedBytesPerTenant) : nil
        configuration.requestRate =
            limits.requestsPerSecond > 0 ? RequestRate(perSecond: limits.requestsPerSecond) : nil
        configuration.diskReserveBytes = Int64(limits.diskReserveBytes)
        // Of the connections that there are, which a low limit of open files makes fewer.
        let connections = serverConfiguration.fittedToProcess().connections
        configuration.streams = APIConfiguration.streams(of: connections)
        configuration.streamsPerTenant =
            server.streamsPerTenant > 0 ? server.streamsPerTenant : max(1, connections / 2)
        configuration.origins = server.origins
        configuration.webhooks = WebhookPolicy(
            allowsHTTP: webhooks.allowHTTP, addresses: AddressPolicy(allowsPrivate: webhooks.allowPrivate),
            hasSecret: !webhooks.secret.isEmpty)
        return configuration
    }

    var webhookConfiguration: WebhookConfiguration {
        var configuration = WebhookConfiguration()
        configuration.secret = WebhookSecret(webhooks.secret)
        configuration.allowsHTTP = webhooks.allowHTTP
        configuration.addresses = AddressPolicy(allowsPrivate: webhooks.allowPrivate)
        configuration.certificatesFile = webhooks.certificatesFile.isEmpty ? nil : webhooks.certificatesFile
        configuration.retries.firstSeconds = webhooks.retrySeconds
        configuration.sendersPerTenant = webhooks.sendersPerTenant
        configuration.version = Version.text
        return configuration
    }

    var retentionPolicy: RetentionPolicy {
        RetentionPolicy(seconds: retentionSeconds > 0 ? retentionSeconds : nil)
    }

    var serverConfiguration: HTTPServerConfiguration {
        var configuration = HTTPServerConfiguration()
        configuration.address = server.address
        configuration.port = UInt16(server.port)
        configuration.threads = server.threads == 0 ? nil : server.threads
        configuration.connections = server.connections
        configuration.connectionsPerAddress = server.connectionsPerAddress == 0 ? nil : server.connectionsPerAddress
        configuration.otherDescriptors += Self.descriptorsOfAWorker * (workers == 0 ? Self.cores : workers)
        return configuration
    }

    /// Whether the blobs are in a bucket, which other machines may use too.
    var hasSharedBlobs: Bool { blobsURL.hasPrefix("s3:") }

    /// Whether processes that cannot see each other, on other machines or with another data folder, may write to the same
    /// blobs: to a bucket, or to a folder beside a database that machines share.
    var mayShareBlobs: Bool { hasSharedBlobs || !storeURL.hasPrefix("sqlite:") }

    /// The path of a `scheme:` URL, or of a file in the data folder where the URL names none.
    func path(of url: String, or name: String) -> String {
        let path = String(url.drop { $0 != ":" }.dropFirst())
        return path.isEmpty ? dataDirectory + "/" + name : path
    }
}
