package main

import (
	"context"
	"fmt"
	"strings"
)

// figure is one comparison: a file of its own, listed here.
type figure struct {
	name  string // for -only
	title string
	run   func(ctx context.Context, b *bench) (*table, error)
}

var figures = []figure{scanFigure, usualFigure, tablePairFigure, operatorsFigure, verbsFigure, windowsFigure, copyFigure, scatteredFigure, lookupFigure, enrichFigure, memoryFigure, adjacentFigure, checkpointFigure, resumeFigure, overloadFigure, throttleFigure, rollupFigure,
	commandCopyFigure, commandUnloadFigure, commandLoadFigure, commandDiffFigure, commandMemoryFigure, commandStartFigure}

// bench is what figures have to work with.
type bench struct {
	settings
	server  *server
	folder  string // for files of the run, which are removed at its end
	command string // the program rxcql, once it is built
}

func names(figures []figure) []string {
	all := make([]string, len(figures))
	for i, f := range figures {
		all[i] = f.name
	}
	return all
}

func choose(only string) ([]figure, error) {
	if only == "" {
		return figures, nil
	}
	var chosen []figure
	for name := range strings.SplitSeq(only, ",") {
		found := false
		for _, f := range figures {
			if f.name == strings.TrimSpace(name) {
				chosen, found = append(chosen, f), true
			}
		}
		if !found {
			return nil, fmt.Errorf("-only: no figure %q; there are %s", name, strings.Join(names(figures), ", "))
		}
	}
	return chosen, nil
}
