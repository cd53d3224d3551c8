//! A library that stands between a program and the C library (`LD_PRELOAD`) and makes calls on files, and starts of
//! threads, fail, kill or wait. x86-64 Linux. It is one file, which tests compile with rustc alone.
//!
//! - `FAULT_UNDER`: the folders whose calls count, with colons between them.
//! - `FAULT_LOG`: the file to which each such call is appended, as `CALL PATH` (`rename FROM TO`), with `!` before it where the
//!   fault struck. `thread` is the start of a thread, with the first of the folders.
//! - `FAULT`: `CALLS:NUMBER:WHAT`, such as `write,fsync:7:ENOSPC`: what befalls the calls of these names, or of `any`
//!   name, from the given number on. Errors that do not go away by themselves (`EAGAIN`, `ENOSPC`, `EROFS`, `EMFILE`) strike every
//!   later call too; `EIO`, `KILL` and `TERM` strike once; `SLOW` makes every later call wait 20 ms; after `CLOCK` the
//!   calendar is a day earlier.

#![allow(
    clippy::missing_safety_doc,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "the functions are those of the C library"
)]

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const AT_FDCWD: c_int = -100;
const O_ACCMODE: c_int = 3;
const O_CREAT: c_int = 0o100;
const O_DIRECTORY: c_int = 0o200_000;
/// Append, create, write only.
const LOG_FLAGS: c_int = 0o2101;

/// Numbers of system calls.
mod number {
    use std::ffi::c_long;
    pub(crate) const READ: c_long = 0;
    pub(crate) const WRITE: c_long = 1;
    pub(crate) const CLOSE: c_long = 3;
    pub(crate) const PREAD: c_long = 17;
    pub(crate) const PWRITE: c_long = 18;
    pub(crate) const WRITEV: c_long = 20;
    pub(crate) const NANOSLEEP: c_long = 35;
    pub(crate) const GETPID: c_long = 39;
    pub(crate) const SENDFILE: c_long = 40;
    pub(crate) const KILL: c_long = 62;
    pub(crate) const FSYNC: c_long = 74;
    pub(crate) const FDATASYNC: c_long = 75;
    pub(crate) const FTRUNCATE: c_long = 77;
    pub(crate) const RENAME: c_long = 82;
    pub(crate) const MKDIR: c_long = 83;
    pub(crate) const UNLINK: c_long = 87;
    pub(crate) const READLINK: c_long = 89;
    pub(crate) const CLOCK_GETTIME: c_long = 228;
    pub(crate) const OPENAT: c_long = 257;
}

/// The function of this name that stands behind ours.
const RTLD_NEXT: *mut c_void = -1_isize as *mut c_void;

unsafe extern "C" {
    fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    fn syscall(number: c_long, ...) -> c_long;
    fn __errno_location() -> *mut c_int;
}

#[derive(Clone, Copy, PartialEq)]
enum What {
    /// An error's number, and whether later calls fail too.
    Fail(c_int, bool),
    Signal(c_int),
    Slow,
    Clock,
}

struct Fault {
    calls: String,
    number: usize,
    what: What,
}

struct Setting {
    under: Vec<String>,
    log: Option<String>,
    fault: Option<Fault>,
}

static SETTING: OnceLock<Setting> = OnceLock::new();
static COUNT: AtomicUsize = AtomicUsize::new(0);
static CLOCK_IS_TURNED: AtomicBool = AtomicBool::new(false);

fn setting() -> &'static Setting {
    SETTING.get_or_init(|| {
        let variable = |name| std::env::var(name).ok();
        let under = variable("FAULT_UNDER").unwrap_or_default();
        Setting {
            under: under.split(':').map(str::to_owned).collect(),
            log: variable("FAULT_LOG").map(|path| path + "\0"),
            fault: variable("FAULT").map(|text| parse(&text)),
        }
    })
}

fn parse(text: &str) -> Fault {
    let words: Vec<&str> = text.split(':').collect();
    let [calls, number, what] = words[..] else {
        panic!("FAULT: found {text:?}, expected CALLS:NUMBER:WHAT")
    };
    let what = match what {
        "EIO" => What::Fail(5, false),
        "EAGAIN" => What::Fail(11, true),
        "EMFILE" => What::Fail(24, true),
        "ENOSPC" => What::Fail(28, true),
        "EROFS" => What::Fail(30, true),
        "KILL" => What::Signal(9),
        "TERM" => What::Signal(15),
        "SLOW" => What::Slow,
        "CLOCK" => What::Clock,
        other => panic!("FAULT: found {other:?}"),
    };
    let number = number.parse().expect("FAULT: the number of a call");
    Fault {
        calls: calls.to_owned(),
        number,
        what,
    }
}

/// Notes a call; the error's number where it is to fail.
fn befalls(call: &str, path: &[u8]) -> Option<c_int> {
    let setting = setting();
    let path = std::str::from_utf8(path).ok()?;
    if !setting
        .under
        .iter()
        .any(|folder| path.starts_with(folder.as_str()))
    {
        return None;
    }
    let struck = setting.fault.as_ref().and_then(|fault| {
        if fault.calls != "any" && !fault.calls.split(',').any(|name| name == call) {
            return None;
        }
        let number = 1 + COUNT.fetch_add(1, Ordering::SeqCst);
        let later = matches!(fault.what, What::Fail(_, true) | What::Slow);
        (number == fault.number || later && number > fault.number).then_some(fault.what)
    });
    if let Some(log) = &setting.log {
        let mark = if struck.is_some() { "!" } else { "" };
        append(log, &format!("{mark}{call} {path}\n"));
    }
    match struck? {
        What::Fail(error, _) => return Some(error),
        // SAFETY: the process exists.
        What::Signal(signal) => unsafe {
            syscall(number::KILL, syscall(number::GETPID), signal as c_long);
        },
        What::Slow => {
            let time = Timespec {
                seconds: 0,
                nanoseconds: 20_000_000,
            };
            // SAFETY: a time to read, and no place for the rest of it.
            unsafe { syscall(number::NANOSLEEP, &raw const time, 0_usize) };
        }
        What::Clock => CLOCK_IS_TURNED.store(true, Ordering::SeqCst),
    }
    None
}

fn append(log: &str, line: &str) {
    // SAFETY: the path ends with a zero, and the line has its length.
    unsafe {
        let file = syscall(
            number::OPENAT,
            AT_FDCWD as c_long,
            log.as_ptr(),
            LOG_FLAGS as c_long,
            0o644_usize,
        );
        syscall(number::WRITE, file, line.as_ptr(), line.len());
        syscall(number::CLOSE, file);
    }
}

/// The path of an open file.
fn path_of(file: c_int, into: &mut [u8; 4096]) -> &[u8] {
    let link = format!("/proc/self/fd/{file}\0");
    // SAFETY: the path ends with a zero, and the buffer has its length.
    let length = unsafe {
        syscall(
            number::READLINK,
            link.as_ptr(),
            into.as_mut_ptr(),
            into.len(),
        )
    };
    &into[..length.max(0) as usize]
}

fn failed(error: c_int) -> c_long {
    // SAFETY: the C library's variable of this thread.
    unsafe { *__errno_location() = error };
    -1
}

/// Makes a call on an open file, if it does not fail.
macro_rules! on_file {
    ($call:literal, $file:expr, $($word:expr),+) => {{
        match befalls($call, path_of($file, &mut [0; 4096])) {
            Some(error) => failed(error),
            // SAFETY: the caller's words.
            None => unsafe { syscall($($word),+) },
        }
    }};
}

/// Makes a call on a path, if it does not fail.
macro_rules! on_path {
    ($call:expr, $path:expr, $($word:expr),+) => {{
        // SAFETY: the caller's string.
        match befalls($call, unsafe { CStr::from_ptr($path) }.to_bytes()) {
            Some(error) => failed(error),
            // SAFETY: the caller's words.
            None => unsafe { syscall($($word),+) },
        }
    }};
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn openat64(
    folder: c_int,
    path: *const c_char,
    flags: c_int,
    mode: c_int,
) -> c_int {
    let call = if flags & O_DIRECTORY != 0 {
        "list"
    } else if flags & (O_ACCMODE | O_CREAT) != 0 {
        "create"
    } else {
        "open"
    };
    on_path!(
        call,
        path,
        number::OPENAT,
        folder as c_long,
        path,
        flags as c_long,
        mode as c_long
    ) as c_int
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    // SAFETY: the caller's words.
    unsafe { openat64(AT_FDCWD, path, flags, mode) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
    // SAFETY: the caller's words.
    unsafe { openat64(AT_FDCWD, path, flags, mode) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn read(file: c_int, to: *mut c_void, length: usize) -> isize {
    on_file!("read", file, number::READ, file as c_long, to, length) as isize
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pread64(file: c_int, to: *mut c_void, length: usize, at: i64) -> isize {
    on_file!("read", file, number::PREAD, file as c_long, to, length, at) as isize
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn write(file: c_int, from: *const c_void, length: usize) -> isize {
    on_file!("write", file, number::WRITE, file as c_long, from, length) as isize
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pwrite64(
    file: c_int,
    from: *const c_void,
    length: usize,
    at: i64,
) -> isize {
    on_file!(
        "write",
        file,
        number::PWRITE,
        file as c_long,
        from,
        length,
        at
    ) as isize
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn writev(file: c_int, parts: *const c_void, count: c_int) -> isize {
    on_file!(
        "write",
        file,
        number::WRITEV,
        file as c_long,
        parts,
        count as c_long
    ) as isize
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn sendfile64(to: c_int, from: c_int, at: *mut i64, length: usize) -> isize {
    on_file!(
        "write",
        to,
        number::SENDFILE,
        to as c_long,
        from as c_long,
        at,
        length
    ) as isize
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn ftruncate64(file: c_int, length: i64) -> c_int {
    on_file!("write", file, number::FTRUNCATE, file as c_long, length) as c_int
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fsync(file: c_int) -> c_int {
    on_file!("fsync", file, number::FSYNC, file as c_long) as c_int
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn fdatasync(file: c_int) -> c_int {
    on_file!("fsync", file, number::FDATASYNC, file as c_long) as c_int
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the caller's strings.
    let [one, other] = [from, to].map(|path| unsafe { CStr::from_ptr(path) }.to_bytes());
    let result = match befalls("rename", &[one, b" ", other].concat()) {
        Some(error) => failed(error),
        // SAFETY: the caller's words.
        None => unsafe { syscall(number::RENAME, from, to) },
    };
    result as c_int
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn mkdir(path: *const c_char, mode: c_int) -> c_int {
    on_path!("mkdir", path, number::MKDIR, path, mode as c_long) as c_int
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    on_path!("unlink", path, number::UNLINK, path) as c_int
}

type StartThread =
    unsafe extern "C" fn(*mut c_void, *const c_void, *const c_void, *mut c_void) -> c_int;

#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_create(
    thread: *mut c_void,
    attributes: *const c_void,
    start: *const c_void,
    argument: *mut c_void,
) -> c_int {
    if let Some(error) = befalls("thread", setting().under[0].as_bytes()) {
        return error;
    }
    // SAFETY: the C library has a function of this name and type, and the words are the caller's.
    unsafe {
        let next = dlsym(RTLD_NEXT, c"pthread_create".as_ptr());
        let next: StartThread = std::mem::transmute(next);
        next(thread, attributes, start, argument)
    }
}

#[repr(C)]
pub struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: c_int, time: *mut Timespec) -> c_int {
    // SAFETY: the caller's place for a time.
    let result = unsafe { syscall(number::CLOCK_GETTIME, clock as c_long, time) } as c_int;
    // 0 is the calendar's clock.
    if clock == 0 && result == 0 && CLOCK_IS_TURNED.load(Ordering::SeqCst) {
        // SAFETY: the call has filled it.
        unsafe { (*time).seconds -= 86_400 };
    }
    result
}
