import CFuzzer
import Foundation
import FuzzTargets

// `run` in the folder above starts this, once for each parser.
guard let target = Subject.target else {
    print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
    exit(Subject.name == nil ? 0 : 64)
}

if let folder = ProcessInfo.processInfo.environment["FUZZ_EXAMPLES"] {
    for example in try target.examples() {
        let place = URL(fileURLWithPath: folder).appendingPathComponent("example-\(example.name)")
        try Data(example.bytes).write(to: place)
    }
    exit(0)
}

var count = CommandLine.argc
// libFuzzer reads the arguments of the process, and may reorder them in place.
var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe CommandLine.unsafeArgv
let status = unsafe LLVMFuzzerRunDriver(&count, &arguments) { data, size in
    // The bytes are libFuzzer's until the call ends, and are copied.
    Subject.feed(unsafe [UInt8](UnsafeBufferPointer(start: data, count: size)))
    return 0
}
exit(status)
