import ArgumentParser
import Audit
import AuditLog
import FoundationEssentials

/// `tidegate audit`
struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Work with the audit log.", subcommands: [Verify.self])

    /// `tidegate audit verify`
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify an audit log offline.",
            discussion: """
                Reads the whole log and checks every record's form, number and place in the chain. Note the head that \
                it prints in another place: given back with --expect-head, it shows later that the end was cut off or \
                everything rewritten. Exits with 0 where the log is intact, and with 1 where it is not.
                """)

        @Argument(help: "The directory of the log: DATA/audit, unless configured otherwise.")
        var directory: String

        @Option(
            name: .long,
            help: ArgumentHelp("The head that an earlier verification printed.", valueName: "seq:hash"),
            transform: { text in
                guard let head = AuditHead(text) else {
                    throw ValidationError("It is a number, a colon and 64 hexadecimal digits.")
                }
                return head
            })
        var expectHead: AuditHead?

        func run() throws {
            guard FileManager.default.fileExists(atPath: directory) else { throw noLog() }
            let bar = ProgressLine()
            let verification: AuditVerification
            do {
                verification = try AuditVerifier(directory: directory, expectedHead: expectHead).verify { progress in
                    let percent = progress.totalBytes > 0 ? progress.bytes * 100 / progress.totalBytes : 100
                    bar.show("\(percent) % of \(progress.totalBytes) bytes, \(progress.records) records")
                }
            } catch {
                bar.clear()
                StandardError.write("\(error)\n")
                throw ExitCode.failure
            }
            bar.clear()
            // A log whose every segment was removed still has the file that its writer locks.
            guard verification.segments > 0 || FileManager.default.fileExists(atPath: "\(directory)/lock") else {
                throw noLog()
            }
            try report(verification)
        }

        private func noLog() -> ExitCode {
            StandardError.write("There is no audit log at \(directory).\n")
            return .failure
        }

        private func report(_ verification: AuditVerification) throws {
            for finding in verification.findings { print("\(finding)") }
            if verification.furtherFindings > 0 {
                print("… and \(Counted(verification.furtherFindings, "finding")) more")
            }
            print(
                "\(Counted(verification.records, "record")) in \(Counted(verification.segments, "file")), "
                    + "\(Counted(verification.bytes, "byte"))")
            if verification.uncleanRestarts > 0 {
                print(
                    "\(Counted(verification.uncleanRestarts, "unclean restart")): "
                        + "before each, up to a second of records of reads may be missing"
                )
            }
            if let head = verification.head { print("head \(head)") }
            guard verification.isIntact else {
                print("The log is NOT intact.")
                throw ExitCode.failure
            }
            print("The log is intact.")
        }
    }
}
