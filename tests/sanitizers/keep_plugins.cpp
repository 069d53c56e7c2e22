// Linked into sanitized executables only. Open MPI unloads its plug-ins at the end; a leak report then shows
// "<unknown module>" frames that no suppression can name. Libraries that stay loaded keep their names.
extern "C" int dlclose(void* handle) noexcept;
extern "C" int dlclose(void* /*handle*/) noexcept {
  return 0;
}
