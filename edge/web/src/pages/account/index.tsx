export { SignInPage } from "./sign_in";
export { SignUpPage } from "./sign_up";
