import Foundation
import Testing

@testable import Pages

@Suite("Pages' modules as one script") struct PageScriptTests {
    @Test("Modules become one script, each after what it needs")
    func bundle() throws {
        let script = try PageScript.bundle(
            [
                "page/main.js": "import { a, b as c } from '../shared/other.js';\nconsole.log(a(), c);",
                "shared/other.js": "export function a() { return 1; }\nexport const b = 2;\nconst hidden = 3;",
            ], main: "page/main.js")
        let other = try #require(script.range(of: "modules['shared/other.js'] ="))
        let main = try #require(script.range(of: "modules['page/main.js'] ="))
        #expect(other.lowerBound < main.lowerBound)
        #expect(script.contains("return { a, b };"))
        #expect(script.contains("const { a, b: c } = modules['shared/other.js'];"))
        #expect(!script.contains("import ") && !script.contains("export "))
    }

    @Test("The pages' own modules can be bundled, and none of them is left out")
    func own() throws {
        let scripts = try ["atlas", "live", "results", "reproduction"].map {
            try PageScript.bundle(PageFiles.modules, main: "\($0)/main.js")
        }
        // The recorder is loaded by itself, into the browser's audio thread.
        for name in PageFiles.modules.keys where name != "live/recorder.js" {
            #expect(scripts.contains { $0.contains("modules['\(name)'] = ") }, "no page uses \(name)")
        }
    }

    @Test(
        "Other forms of imports and exports, circles and gaps are refused",
        arguments: [
            ["main.js": "import x from './x.js';", "x.js": ""], ["main.js": "import { a } from './gone.js';"],
            ["main.js": "export default 1;"], ["main.js": "export let x = 1;"],
            ["main.js": "import { a } from './x.js';", "x.js": "import { b } from './main.js';"],
        ])
    func refusals(modules: [String: String]) {
        #expect(throws: PageError.self) { try PageScript.bundle(modules, main: "main.js") }
    }

    @Test("Paths are read as a browser reads them")
    func paths() {
        #expect(PageFiles.path(of: "page.css", in: "results/index.html") == "results/page.css")
        #expect(PageFiles.path(of: "../shared/base.css", in: "results/index.html") == "shared/base.css")
        #expect(PageFiles.path(of: "./a.js", in: "main.js") == "a.js")
        #expect(PageFiles.path(of: "../a.js", in: "main.js") == "a.js")
    }

    @Test("The table of the embedded files is that of the folder")
    func table() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = root.appendingPathComponent("Sources/CPages/Pages").path
        let files = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.contains(".") }
        #expect(Set(files) == Set(PageFiles.all.keys), "run python3 scripts/pages.py")
        for name in files {
            #expect(Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))) == PageFiles.all[name])
        }
    }
}
