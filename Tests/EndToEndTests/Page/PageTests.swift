import Foundation
import Testing

/// The page in a real browser: the programs of `Tests/Browser`, each with servers of its own.
@Suite("The page", .serialized)
struct PageTests {
    /// Runs the scenarios of a program.
    private func drive(_ program: String, _ scenarios: String...) throws {
        let path = Python.root.path + "/Tests/Browser/\(program).py"
        let output = try Executable.run(
            "/usr/bin/env",
            ["PYTHONDONTWRITEBYTECODE=1", Python.program("python"), path, Executable.lktrack] + scenarios)
        #expect(output.status == 0, "\(output.text) \(output.standardError)")
        let passed = output.lines.filter { $0.hasPrefix("ok ") }.compactMap {
            $0.split(separator: " ").dropFirst().first
        }
        #expect(passed.map(String.init) == scenarios)
    }

    @Test("a file is dropped, boxes are drawn, the job is watched, looked at to the pixel, and taken away")
    func wholeWay() throws { try drive("whole_way", "drop_draw_watch_take") }

    @Test("many images are one resumable upload and one job")
    func images() throws { try drive("whole_way", "many_images") }

    @Test("a target begins in the frame that its box is drawn in")
    func laterTargets() throws { try drive("whole_way", "targets_that_begin_later") }

    @Test("where a target is lost, a key and a button lead to it")
    func losses() throws { try drive("whole_way", "where_a_target_is_lost") }

    @Test("a page that is loaded anew in the middle goes on watching")
    func reload() throws { try drive("whole_way", "reload_in_the_middle") }

    @Test("the picture is the frame that it is called, decoded by the browser or by the server")
    func inStep() throws { try drive("in_step", "whoever_decodes") }

    @Test("a box is corrected at a frame, the job is run again, and before and after are compared")
    func correction() throws { try drive("correct", "correct_at_a_frame") }

    @Test("two jobs of two videos are shown side by side, in step")
    func comparison() throws { try drive("correct", "two_jobs_of_two_videos") }

    @Test("an upload goes on after a pause, a reload and a crash of the server")
    func upload() throws { try drive("interruptions", "pause_and_resume_an_upload") }

    @Test("a server that is killed while a job runs is waited for")
    func restart() throws { try drive("interruptions", "the_server_restarts_while_a_job_runs") }

    @Test("a job is canceled and keeps the frames it has")
    func cancel() throws { try drive("interruptions", "cancel") }

    @Test("an error of each kind is a sentence that helps, and a hostile name is only a name")
    func errors() throws {
        try drive(
            "errors", "files_that_are_none", "jobs_that_are_not_there_or_fail", "a_server_that_refuses",
            "too_many_requests", "results_that_are_kept_no_more", "a_full_disk", "hostile_names")
    }

    @Test("where keys are on, one is asked for, kept for the session, and used for everything")
    func keys() throws { try drive("keys", "with_a_key") }

    @Test("a job is shown in the frame of a site that may, and boxes over a site's own video")
    func embedding() throws { try drive("embed", "in_a_frame", "over_its_own_video") }

    @Test("on a phone, boxes are drawn, moved and resized with a finger")
    func touch() throws { try drive("touch", "draw_by_touch") }

    @Test("every view fits from a phone to 4K, axe finds nothing in any, and the keyboard alone is enough")
    func accessibility() throws {
        try drive("accessibility", "on_every_screen", "by_keyboard_alone", "filters_and_delete")
    }
}
