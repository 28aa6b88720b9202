//! A file that replaces another one as a whole.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{ExportError, at};

/// A file that takes the place of another one when it is settled, and may be written on.
pub(super) struct Aside {
    written: PathBuf,
    path: PathBuf,
    file: BufWriter<File>,
    is_settled: bool,
}

impl Aside {
    /// Begins the file.
    pub(super) fn create(path: &Path) -> Result<Self, ExportError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let written = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
        if path.is_dir() {
            return at(Err(ErrorKind::IsADirectory.into()), "write", path);
        }
        let file = at(File::create(&written), "write", path)?;
        Ok(Self {
            written,
            path: path.to_owned(),
            file: BufWriter::new(file),
            is_settled: false,
        })
    }

    /// Writes what is buffered, and puts the file in its place.
    pub(super) fn settle(&mut self) -> Result<(), ExportError> {
        let synced = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        let settled = synced.and_then(|()| fs::rename(&self.written, &self.path));
        self.is_settled = settled.is_ok();
        at(settled, "write", &self.path)
    }
}

impl Write for Aside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.is_settled {
            let _ = fs::remove_file(&self.written);
        }
    }
}
