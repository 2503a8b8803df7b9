import ArgumentParser
import Audit
import AuditLog
import FoundationEssentials
import Workers

/// `tidegate audit`
struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Work with the audit log.", subcommands: [Verify.self, AcceptLoss.self])

    /// `tidegate audit verify`
    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify an audit log offline.",
            discussion: """
                Reads the whole log and checks every record's form, number and place in the chain, that the log goes \
                as far as its mark, and that what starts cut off is kept and was unfinished. Note the head that it \
                prints in another place: given back with --expect-head, it shows later that the end was cut off or \
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
            if verification.tornEnds > 0 {
                print("\(verification.tornEnds) unfinished lines that crashes left, kept in files beside the log")
            }
            if let head = verification.head { print("head \(head)") }
            guard verification.isIntact else {
                print("The log is NOT intact.")
                throw ExitCode.failure
            }
            print("The log is intact.")
        }
    }

    /// `tidegate audit accept-loss`
    struct AcceptLoss: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "accept-loss", abstract: "Let a gateway go on with an audit log that is damaged.",
            discussion: """
                A gateway does not start where its log lacks records that were on the disk, or where a record is \
                damaged and others follow. Keep a copy of the log's directory first. This command then changes nothing \
                of what is there: it begins a new file behind it, whose first record, AuditLogLossAccepted, says what \
                is wrong. `tidegate audit verify` tells of the loss from then on. Works while no gateway runs.
                """)

        @OptionGroup(title: "Configuration")
        var options: ConfigurationOptions

        func run() async throws {
            try await OfflineCommand.run(options) { deployment, _ in
                let noted = try await deployment.auditMark()
                let log = try FileAuditLog(
                    AuditLogOptions(deployment.launch.configuration, epoch: deployment.session.gateway),
                    environment: deployment.environment, noted: noted, acceptsLoss: true)
                try await log.stop()
                guard !log.acceptedLosses.isEmpty else {
                    print("Nothing is wrong with the log that would have to be accepted.")
                    return true
                }
                for loss in log.acceptedLosses { print("\(loss).") }
                print("This is accepted, and recorded in the log. A gateway can be started.")
                return true
            }
        }
    }
}
