/// The files of the page, which are compiled in (`Assets`): HTML, style sheets and ES modules, as they are written. They
/// are a module of their own because arrays of so many literals take the compiler a while.
public enum WebPage {
    public struct Asset: Sendable {
        /// `parts/stage.js`: a folder, and a name that no other folder has.
        public let path: String
        public let bytes: [UInt8]

        public var mediaType: String {
            switch path.split(separator: ".").last {
            case "js": "text/javascript; charset=utf-8"
            case "css": "text/css; charset=utf-8"
            case "svg": "image/svg+xml"
            default: "text/html; charset=utf-8"
            }
        }
    }

    /// Tests hold these to the files of the folder.
    public static let assets: [Asset] = [
        Asset(path: "api/client.js", bytes: PackageResources.client_js),
        Asset(path: "api/events.js", bytes: PackageResources.events_js),
        Asset(path: "api/key.js", bytes: PackageResources.key_js),
        Asset(path: "api/objects.js", bytes: PackageResources.objects_js),
        Asset(path: "api/tar.js", bytes: PackageResources.tar_js),
        Asset(path: "api/trackability.js", bytes: PackageResources.trackability_js),
        Asset(path: "api/tus.js", bytes: PackageResources.tus_js),
        Asset(path: "base/dom.js", bytes: PackageResources.dom_js),
        Asset(path: "base/format.js", bytes: PackageResources.format_js),
        Asset(path: "base/router.js", bytes: PackageResources.router_js),
        Asset(path: "embed/embed.js", bytes: PackageResources.embed_js),
        Asset(path: "embed/overlay.js", bytes: PackageResources.overlay_js),
        Asset(path: "parts/boxes.js", bytes: PackageResources.boxes_js),
        Asset(path: "parts/compare.js", bytes: PackageResources.compare_js),
        Asset(path: "parts/correction.js", bytes: PackageResources.correction_js),
        Asset(path: "parts/curl.js", bytes: PackageResources.curl_js),
        Asset(path: "parts/dialogs.js", bytes: PackageResources.dialogs_js),
        Asset(path: "parts/drop.js", bytes: PackageResources.drop_js),
        Asset(path: "parts/exports.js", bytes: PackageResources.exports_js),
        Asset(path: "parts/feed.js", bytes: PackageResources.feed_js),
        Asset(path: "parts/inspector.js", bytes: PackageResources.inspector_js),
        Asset(path: "parts/jobhead.js", bytes: PackageResources.jobhead_js),
        Asset(path: "parts/messages.js", bytes: PackageResources.messages_js),
        Asset(path: "parts/options.js", bytes: PackageResources.options_js),
        Asset(path: "parts/pickjob.js", bytes: PackageResources.pickjob_js),
        Asset(path: "parts/stage.js", bytes: PackageResources.stage_js),
        Asset(path: "parts/targetlist.js", bytes: PackageResources.targetlist_js),
        Asset(path: "parts/timeline.js", bytes: PackageResources.timeline_js),
        Asset(path: "parts/transport.js", bytes: PackageResources.transport_js),
        Asset(path: "parts/uploadbar.js", bytes: PackageResources.uploadbar_js),
        Asset(path: "parts/viewer.js", bytes: PackageResources.viewer_js),
        Asset(path: "style/base.css", bytes: PackageResources.base_css),
        Asset(path: "style/icon.svg", bytes: PackageResources.icon_svg),
        Asset(path: "style/player.css", bytes: PackageResources.player_css),
        Asset(path: "style/views.css", bytes: PackageResources.views_css),
        Asset(path: "top/embed.html", bytes: PackageResources.embed_html),
        Asset(path: "top/index.html", bytes: PackageResources.index_html),
        Asset(path: "top/main.js", bytes: PackageResources.main_js),
        Asset(path: "track/draw.js", bytes: PackageResources.draw_js),
        Asset(path: "track/player.js", bytes: PackageResources.player_js),
        Asset(path: "track/serverpictures.js", bytes: PackageResources.serverpictures_js),
        Asset(path: "track/track.js", bytes: PackageResources.track_js),
        Asset(path: "track/videopictures.js", bytes: PackageResources.videopictures_js),
        Asset(path: "views/draft.js", bytes: PackageResources.draft_js),
        Asset(path: "views/job.js", bytes: PackageResources.job_js),
        Asset(path: "views/jobs.js", bytes: PackageResources.jobs_js),
        Asset(path: "views/new.js", bytes: PackageResources.new_js),
    ]

    /// What stands in the page's HTML where the version of its files belongs.
    public static let versionMark = "VERSION"
}
