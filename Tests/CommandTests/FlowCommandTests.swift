import Jobs
import Testing

@testable import lktrack

@Suite("Points on the command line")
struct FlowCommandTests {
    @Test("a point is two numbers")
    func point() {
        #expect(PointArgument(argument: "82.5,60")?.point == PixelPoint(x: 82.5, y: 60))
        #expect(PointArgument(argument: "-1,1e3")?.point == PixelPoint(x: -1, y: 1000))
        for text in ["", "1", "1,", "1,2,3", "a,b", "1;2", ",2"] { #expect(PointArgument(argument: text) == nil) }
    }

    @Test("flow takes points or a grid, and one of them")
    func flow() throws {
        let command = try FlowCommand.parse(["a.png", "b.png", "--points", "1,2", "3.5,4", "--levels", "2", "--json"])
        #expect(command.points.map(\.point) == [PixelPoint(x: 1, y: 2), PixelPoint(x: 3.5, y: 4)])
        #expect(command.first == "a.png" && command.second == "b.png" && command.levels == 2 && command.json)
        let grid = try FlowCommand.parse(["a.png", "b.png", "--grid", "8", "--roi", "1,2,30,40"])
        #expect(grid.grid == 8 && grid.roi?.box == PixelBox(x: 1, y: 2, width: 30, height: 40))
        for arguments in [
            [], ["--points", "1,2", "--grid", "4"], ["--grid", "0"], ["--grid", "65"], ["--points", "1"],
            ["--points", "1,2", "--roi", "1,2,30,40"],
        ] {
            #expect(throws: (any Error).self) { try FlowCommand.parse(["a.png", "b.png"] + arguments) }
        }
        #expect(throws: (any Error).self) { try FlowCommand.parse(["a.png", "--grid", "4"]) }
    }

    @Test("track takes points for one target, with or without a box")
    func track() throws {
        let command = try TrackCommand.parse(["clip.mp4", "--tracker", "points", "--points", "1,2", "3,4"])
        #expect(command.points.count == 2 && command.roi.isEmpty && command.tracker.tracker == .points)
        _ = try TrackCommand.parse(["clip.mp4", "--tracker", "points", "--points", "1,2", "--roi", "1,2,30,40"])
        #expect(throws: (any Error).self) { try TrackCommand.parse(["clip.mp4"]) }
        #expect(throws: (any Error).self) {
            try TrackCommand.parse(["clip.mp4", "--points", "1,2", "--roi", "1,2,30,40", "--roi", "1,2,30,40"])
        }
    }
}
