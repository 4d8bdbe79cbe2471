//! Writing so that it stays written: every file that must survive a crash is written here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// What came of appending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    /// It is on the disk.
    Written,
    /// The file does not end where it was thought to: somebody else wrote to it. It was not touched.
    Moved,
}

/// Puts `octets` in the place of a file, whole or not at all, and returns when they are on the disk. A link leads to the file
/// it names, and a file that exists keeps its permissions.
pub fn replace(path: &Path, octets: &[u8]) -> io::Result<()> {
    replace_with(path, &mut |file| file.write_all(octets))
}

/// The same with what `write` writes.
pub(super) fn replace_with(path: &Path, write: &mut Writing<'_>) -> io::Result<()> {
    let path = write_and_rename(path, write, File::sync_all)?;
    sync_folder_of(&path)
}

/// Writes the content of a file.
type Writing<'w> = dyn FnMut(&mut File) -> io::Result<()> + 'w;

/// As [`replace`], without waiting for the disk: whole or not at all for all who read it, but a loss of power may undo it.
/// [`append`] makes it last.
pub(super) fn place(path: &Path, octets: &[u8]) -> io::Result<()> {
    write_and_rename(path, &mut |file| file.write_all(octets), |_| Ok(())).map(drop)
}

/// Returns where the octets are, links followed.
fn write_and_rename(
    path: &Path,
    write: &mut Writing<'_>,
    sync: fn(&File) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let path = match fs::canonicalize(path) {
        Ok(existing) => existing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_path_buf(),
        Err(error) => return Err(error),
    };
    let temporary = beside(&path);
    let file = write_new(&temporary, &path, write);
    let written = file.and_then(|file| sync(&file)).and_then(|()| fs::rename(&temporary, &path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written.map(|()| path)
}

fn write_new(temporary: &Path, path: &Path, write: &mut Writing<'_>) -> io::Result<File> {
    // One that a killed process left behind.
    match fs::remove_file(temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).open(temporary)?;
    if let Ok(about) = fs::metadata(path) {
        keep_owner(temporary, &about);
        file.set_permissions(about.permissions())?;
    }
    write(&mut file)?;
    Ok(file)
}

/// Only the superuser may give files away; for others the file is theirs from now on.
fn keep_owner(temporary: &Path, about: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, chown};
    let _ = chown(temporary, Some(about.uid()), Some(about.gid()));
}

/// Adds `octets` to a file that ends at `end`, and returns when they are on the disk. After an error the file ends where it did,
/// unless even that could not be written; then the reader finds a torn tail.
pub(super) fn append(path: &Path, end: u64, octets: &[u8]) -> io::Result<Appended> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    if file.seek(SeekFrom::End(0))? != end {
        return Ok(Appended::Moved);
    }
    // The folder too: the file may have been placed there without waiting.
    let sync = || file.sync_all().and_then(|()| sync_folder_of(path));
    let written = (&file).write_all(octets).and_then(|()| sync());
    if written.is_err() {
        let _ = file.set_len(end);
    }
    written.map(|()| Appended::Written)
}

/// Ends a file at `end`.
pub(super) fn cut(path: &Path, end: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(end)?;
    file.sync_all()
}

/// The octets of a file of at most `limit`; none when there is no such file.
pub(super) fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    use io::ErrorKind::{NotADirectory, NotFound};
    let file = match File::open(path) {
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => return Ok(None),
        file => file?,
    };
    let mut octets = Vec::new();
    if file.take(limit + 1).read_to_end(&mut octets)? as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {limit} octets")));
    }
    Ok(Some(octets))
}

/// Makes a folder and those above it, and returns when they are on the disk.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    folder.ancestors().take(2).try_for_each(sync_folder_of)
}

fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_is_replaced_with_its_permissions_and_through_links() {
        let folder = std::env::temp_dir().join(format!("namu-durable-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (file, link) = (folder.join("file"), folder.join("link"));
        replace(&file, b"one").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        // What a killed process left behind does not stand in the way.
        fs::write(folder.join(".file.new"), "torn").unwrap();
        replace(&link, b"two").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"two");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);

        // A folder is in the way of the rename: nothing is left behind.
        fs::create_dir(folder.join("folder")).unwrap();
        assert!(replace(&folder.join("folder"), b"three").is_err());
        assert!(replace(&folder.join("gone/file"), b"four").is_err());
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
        fs::remove_dir_all(&folder).unwrap();
    }
}
