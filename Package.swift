// swift-tools-version: 6.2
//
// Debug builds are ordinary Swift, for tests and the debugger. The release build is the shipped file: Embedded Swift, one
// static stripped executable, against musl where it is installed (Debian: musl-dev) and against static glibc elsewhere.
// docs/design.md, "The build", says why. HERMES_INIT_LIBC=glibc asks for glibc where both are there.
import Foundation
import PackageDescription

let fileManager = FileManager.default
let environment = ProcessInfo.processInfo.environment

#if arch(arm64)
    let ownArchitecture = "aarch64"
#else
    let ownArchitecture = "x86_64"
#endif
/// What the release is for. scripts/build says so where the triple that SwiftPM is given is not that of this machine; clang
/// then has to be told, too.
let architecture = environment["HERMES_INIT_ARCH"] ?? ownArchitecture
let isCross = environment["HERMES_INIT_ARCH"] != nil

/// The folder above `bin` of the toolchain that reads this manifest: where the first `swiftc` on PATH really lies.
let toolchain: String = {
    for folder in (environment["PATH"] ?? "").split(separator: ":") {
        let compiler = "\(folder)/swiftc"
        if fileManager.isExecutableFile(atPath: compiler) {
            let real = URL(fileURLWithPath: compiler).resolvingSymlinksInPath()
            return real.deletingLastPathComponent().deletingLastPathComponent().path
        }
    }
    return "/usr"
}()
/// What the standard library's own comparing and hashing of a String needs. Our sources avoid both (Strings+Bytes.swift);
/// where they do, nothing of it comes into the file. It lies off the linker's path.
/// (The toolchain has Embedded Swift for Linux on x86-64 only; elsewhere the one without an operating system serves, since
/// libc comes through CSystem.)
let embeddedTriple = architecture == "x86_64" ? "x86_64-unknown-linux-gnu" : "\(architecture)-none-none-elf"
let unicodeTables = "\(toolchain)/lib/swift/embedded/\(embeddedTriple)/libswiftUnicodeDataTables.a"
let muslRoot = environment["HERMES_INIT_MUSL"] ?? ""
let muslLibraries = "\(muslRoot)/usr/lib/\(architecture)-linux-musl"
let muslHeaders = "\(muslRoot)/usr/include/\(architecture)-linux-musl"
let useMusl = environment["HERMES_INIT_LIBC"] != "glibc" && fileManager.fileExists(atPath: "\(muslLibraries)/libc.a")
/// For `make endurance`: the release with a clock and processes that are made up, by functions that the linker puts in the place
/// of these (Tests/Endurance/Kernel).
let madeUp =
    environment["HERMES_INIT_KERNEL"] != "made-up"
    ? []
    : [
        "hi_spawn", "hi_reap", "hi_epoll_wait", "hi_forward", "hi_timer_set", "hi_monotonic_nanoseconds",
        "hi_realtime_milliseconds", "kill",
    ]

let release = BuildSettingCondition.when(configuration: .release)
let debug = BuildSettingCondition.when(configuration: .debug)

var cSettings: [CSetting] = [
    .define("_GNU_SOURCE"),
    .unsafeFlags(["-Wall", "-Wextra", "-Werror"]),
    // The child between clone and exec runs on a stack of its own without thread-local storage, where a stack protector
    // has no canary to read.
    .unsafeFlags(["-fno-stack-protector"]),
    // Small before fast: nothing in C is called often. Nothing unwinds.
    .unsafeFlags(["-Oz", "-fno-asynchronous-unwind-tables", "-fno-unwind-tables"], release),
]
var swiftSettings: [SwiftSetting] = [
    .enableExperimentalFeature("Embedded", release),
    // One section for each function, so that the linker's --gc-sections leaves out what nothing calls, and one trap for a
    // function instead of one for each check. No debug information: it is stripped, but the tables for unwinding that come
    // with it would stay, and nothing here unwinds.
    // (The compiler keeps an object whose code did not change: after a change of a flag, remove .build.)
    .unsafeFlags(
        [
            "-Osize", "-Xfrontend", "-function-sections", "-Xfrontend", "-mergeable-traps", "-Xfrontend", "-gnone",
        ], release),
]
var linkerSettings: [LinkerSetting] = [
    // A manifest that names Embedded makes SwiftPM leave out of the debug executable what an ordinary one has: the
    // toolchain's run path, and the object that tells the runtime where the types lie (without it, Dictionary crashes).
    .unsafeFlags(
        [
            "-Xlinker", "-rpath", "-Xlinker", "\(toolchain)/lib/swift/linux",
            "\(toolchain)/lib/swift/linux/\(architecture)/swiftrt.o",
        ], debug),
    // SwiftPM always passes -pie, which clang then says it does not use. The toolchain's own lld reads the bitcode of its
    // compiler. It keeps one of functions that came out alike, and the outliner makes a function of each sequence of
    // instructions that comes often: 38 KB, for a fifth of the speed. Where it would save less than 4 bytes it does not,
    // which costs 5 KB and is a third of what it slows down. What is inlined by the linker's optimizer makes the file larger
    // (by 3 KB) and nothing quicker.
    .unsafeFlags(
        [
            "-Xclang-linker", "-Wno-unused-command-line-argument", "-use-ld=lld", "-Xclang-linker", "-flto",
            "-Xlinker", "-s", "-Xlinker", "--gc-sections", "-Xlinker", "--icf=all",
            "-Xlinker", "-mllvm=-enable-machine-outliner=always", "-Xlinker", "-mllvm=-machine-outliner-reruns=5",
            "-Xlinker", "-mllvm=-outliner-benefit-threshold=4",
            "-Xlinker", "-mllvm=-inline-threshold=0", "-Xlinker", "-O2",
            // What stands in a register is not stored and loaded again for it to be nearer (3 KB), nor computed before the
            // loop that wants it (11 KB), nor is a constant kept in a variable (6 KB): the functions are long, and registers
            // few. (-enable-ipra would be 13 KB more; no compiler has it on for this processor, and PID 1 is no place to be first.)
            "-Xlinker", "-mllvm=-split-spill-mode=size", "-Xlinker", "-mllvm=-disable-machine-licm",
            "-Xlinker", "-mllvm=-disable-constant-hoisting",
            // Neither does it pay to put blocks and instructions into another order than the one they come in (5 KB).
            "-Xlinker", "-mllvm=-disable-block-placement", "-Xlinker", "-mllvm=-enable-misched=false",
            unicodeTables,
        ], release),
]
if isCross {
    cSettings.append(.unsafeFlags(["--target=\(architecture)-linux-gnu"], release))
    linkerSettings.append(.unsafeFlags(["-Xclang-linker", "--target=\(architecture)-linux-gnu"], release))
}
if useMusl {
    cSettings.append(.unsafeFlags(["-isystem", muslHeaders], release))
    swiftSettings.append(.unsafeFlags(["-Xcc", "-isystem", "-Xcc", muslHeaders], release))
    linkerSettings.append(
        .unsafeFlags(
            [
                "-Xclang-linker", "-static", "-Xclang-linker", "-nostdlib", "-Xclang-linker", "-nostartfiles",
                "\(muslLibraries)/crt1.o", "\(muslLibraries)/crti.o", "\(muslLibraries)/libc.a",
                "\(muslLibraries)/crtn.o",
            ], release))
} else {
    linkerSettings.append(.unsafeFlags(["-Xclang-linker", "-static", "-lm"], release))
}
for name in madeUp { linkerSettings.append(.unsafeFlags(["-Xlinker", "--wrap=\(name)"], release)) }

/// The libraries emit no code of their own in a release: all of Embedded Swift can be inlined or specialised, so the
/// executable emits what it uses, and does so once.
let librarySettings: [SwiftSetting] =
    swiftSettings + [.unsafeFlags(["-Xfrontend", "-emit-empty-object-file"], release)]
/// The executable is emitted as LLVM's bitcode, which the linker optimizes as a whole.
let executableSettings: [SwiftSetting] =
    swiftSettings + [
        .unsafeFlags(["-parse-as-library"]),
        .unsafeFlags(["-Xfrontend", "-emit-bc", "-Xfrontend", "-lto=llvm-full"], release),
        // What makes a longer file and no faster one: a copy of a function for each closure that it is called with, and
        // the growing of an array in each place that appends to one.
        .unsafeFlags(
            [
                "-Xllvm", "-sil-disable-pass=closure-specialize", "-Xllvm",
                "-sil-inline-never-functions=_createNewBuffer", "-Xllvm",
                "-sil-inline-never-functions=_makeUniqueAndReserve", "-Xllvm",
                "-sil-inline-never-functions=_reserveCapacityAssuming",
            ], release),
    ]

let package = Package(
    name: "hermes-init",
    products: [.executable(name: "hermes-init", targets: ["hermes-init"])],
    targets: [
        .target(name: "CSystem", cSettings: cSettings),
        .target(name: "System", dependencies: ["CSystem"], swiftSettings: librarySettings),
        .target(name: "ConfigParser", swiftSettings: librarySettings),
        .target(name: "Runtime", dependencies: ["CSystem", "System", "ConfigParser"], swiftSettings: librarySettings),
        .target(name: "Plugins", dependencies: ["CSystem", "System", "ConfigParser"], swiftSettings: librarySettings),
        .executableTarget(
            name: "hermes-init",
            dependencies: ["CSystem", "System", "ConfigParser", "Runtime", "Plugins"]
                + (madeUp.isEmpty ? [] : ["CKernel"]),
            swiftSettings: executableSettings,
            linkerSettings: linkerSettings),
        .testTarget(name: "ConfigParserTests", dependencies: ["ConfigParser"]),
        .testTarget(name: "RuntimeTests", dependencies: ["Runtime", "ConfigParser", "System", "CSystem"]),
        // What tests need of the kernel that Swift cannot say; in no product.
        .target(name: "CTestSupport", path: "Tests/CTestSupport", cSettings: [.define("_GNU_SOURCE")]),
        .testTarget(name: "PluginsTests", dependencies: ["Plugins", "System", "CSystem", "CTestSupport"]),
        .testTarget(name: "SystemTests", dependencies: ["System", "CSystem"]),
        .testTarget(name: "hermes-initTests", dependencies: ["hermes-init", "Runtime", "ConfigParser"]),
    ]
)
if !madeUp.isEmpty {
    package.targets.append(
        .target(name: "CKernel", dependencies: ["CSystem"], path: "./Tests/Endurance/Kernel", cSettings: cSettings))
}
