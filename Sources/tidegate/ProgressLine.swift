import Glibc

/// A line on a terminal that is written over as long work goes on; silent where standard error is no terminal.
struct ProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1

    func show(_ text: String) {
        if isTerminal { StandardError.write("\r\u{1B}[K\(text)") }
    }

    func clear() {
        if isTerminal { StandardError.write("\r\u{1B}[K") }
    }
}
