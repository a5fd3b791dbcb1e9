package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// served is a service that has not begun to work, on a server in the process of the test.
func served(t *testing.T) *service {
	t.Helper()
	return servedBy(t, withTables(t, "readings", "rollups", "devices"))
}

func servedBy(t *testing.T, server *cqlfake.Server, args ...string) *service {
	t.Helper()
	session := server.Session("rollup")
	require.NoError(t, deadletter.CreateTable(t.Context(), session, "rollup.unusable"))
	require.NoError(t, checkpoint.CreateTable(t.Context(), session, "rollup.jobs"))
	s, err := newService(t.Context(), session, "rollup", configured(t, args...))
	require.NoError(t, err)
	return s
}

func TestAKnownPathWithAnotherMethodSaysWhichOnesThereAre(t *testing.T) {
	service := served(t).handler
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		service.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader("")))
		return w
	}
	for path, allowed := range map[string]string{
		"/readings": "POST", "/rollups": "GET, HEAD", "/events": "GET, HEAD", "/health": "GET, HEAD", "/metrics": "GET, HEAD",
		"/": "GET, HEAD", "/app.js": "GET, HEAD", "/style.css": "GET, HEAD",
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			if strings.Contains(allowed, method) {
				continue
			}
			w := ask(method, path)
			require.Equal(t, http.StatusMethodNotAllowed, w.Code, "%s %s", method, path)
			require.Equal(t, allowed, w.Header().Get("Allow"), "%s %s", method, path)
		}
	}
	for _, path := range []string{"/", "/app.js", "/style.css", "/icon.svg", "/metrics"} {
		require.Equal(t, http.StatusOK, ask("GET", path).Code, path)
		require.NotEmpty(t, ask("GET", path).Body.String(), path)
		require.Equal(t, http.StatusOK, ask("HEAD", path).Code, path)
	}
	require.Equal(t, http.StatusOK, ask("HEAD", "/events").Code, "it ends, though events do not")
	require.Equal(t, http.StatusMovedPermanently, ask("GET", "/index.html").Code, "the page has one address")
	for _, path := range []string{"/nonsense", "/readings/", "/reading", "/page/app.js", "/app.js/"} {
		for _, method := range []string{"GET", "POST"} {
			require.Equal(t, http.StatusNotFound, ask(method, path).Code, "%s %s", method, path)
		}
	}
	require.Equal(t, "nosniff", ask("GET", "/readings").Header().Get("X-Content-Type-Options"))
}
