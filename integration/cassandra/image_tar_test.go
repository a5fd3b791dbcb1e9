//go:build unix

package cassandra_test

import (
	"archive/tar"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// imageTar is a tar that files of this machine are put into.
type imageTar struct{ *tar.Writer }

func (t *imageTar) text(name, text string) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: strings.TrimPrefix(name, "/"), Mode: 0o644, Size: int64(len(text))}
	if err := t.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.WriteString(t, text)
	return err
}

// file puts the file at path, with links followed, into the image under name.
func (t *imageTar) file(path, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: strings.TrimPrefix(name, "/"), Mode: int64(info.Mode().Perm()), Size: info.Size(),
	}); err != nil {
		return err
	}
	_, err = io.Copy(t, f)
	return err
}

// tree puts all files under root into the image under name.
func (t *imageTar) tree(root, name string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		inside, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return t.file(path, filepath.Join(name, inside))
	})
}
