import { type FormEvent, useState } from "react";
import { useApi } from "../../api/hooks";
import { useCommand } from "../../api/use_command";
import { Button } from "../../components/button";
import { Field } from "../../components/field";
import { useTitle } from "../../components/use_title";
import { destinationAfterSignIn, Link, navigate } from "../../router";
import { Entrance, FormProblem } from "./entrance";

/** Lets a person in who has an account. */
export function SignInPage() {
  useTitle("Sign in");
  const { auth, session } = useApi();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const login = useCommand(async () => {
    session.adopt((await auth.login({ email, password })).session);
    navigate(destinationAfterSignIn(), { replace: true });
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void login.run(undefined);
  };
  return (
    <Entrance
      title="Welcome back"
      other={
        <>
          New here? <Link href={`/sign-up${window.location.search}`}>Create an account</Link>
        </>
      }
    >
      <form onSubmit={submit}>
        <Field
          label="E-mail"
          type="email"
          name="email"
          autoComplete="username"
          required
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          problem={login.failure?.fields.email}
        />
        <Field
          label="Password"
          type="password"
          name="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
          problem={login.failure?.fields.password}
        />
        <FormProblem failure={login.failure} />
        <Button type="submit" wide busy={login.busy}>
          Sign in
        </Button>
      </form>
    </Entrance>
  );
}
