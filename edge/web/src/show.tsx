import { TransportProvider } from "@connectrpc/connect-query";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@fontsource-variable/archivo/wdth.css";
import "./components/tokens.css";
import "./components/base.css";
import type { Api } from "./api/client";
import { ApiContext } from "./api/hooks";
import { App } from "./app";

/** Shows the page, speaking to the mesh through the given API. */
export function show(api: Api): void {
  const root = document.getElementById("root");
  if (!root) throw new Error("the document has no element with the id root");
  // Calls are repeated by the transport, as their contract allows; nothing above it tries again.
  const queries = new QueryClient({
    defaultOptions: { queries: { retry: false, staleTime: 2000 } },
  });
  // What one person has read must never be shown to the next.
  let userId = api.session.current()?.user?.userId;
  api.session.subscribe(() => {
    const next = api.session.current()?.user?.userId;
    if (next !== userId) queries.clear();
    userId = next;
  });
  window.addEventListener("storage", api.session.reload);
  createRoot(root).render(
    <StrictMode>
      <ApiContext value={api}>
        <TransportProvider transport={api.transport}>
          <QueryClientProvider client={queries}>
            <App />
          </QueryClientProvider>
        </TransportProvider>
      </ApiContext>
    </StrictMode>,
  );
}
