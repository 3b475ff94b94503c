import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { browserSessionSurroundings, createApi } from "./api/client";
import { show } from "./show";

// The page and the gateway share one origin.
show(
  createApi(
    createGrpcWebTransport({ baseUrl: window.location.origin }),
    browserSessionSurroundings,
  ),
);
